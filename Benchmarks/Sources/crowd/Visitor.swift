import NIOCore

/// Somebody in the crowd, from before they join until they are let in, leave, or fall silent.
final class Visitor {
    enum Plan {
        case stay
        /// Cancels, or only stops to poll, so many seconds after joining.
        case leave(Double)
        case fallSilent(Double)
    }

    struct Estimate {
        let told: NIODeadline
        let seconds: Int
    }

    let number: Int
    let plan: Plan
    let arrivalSeconds: Double
    var token = ""
    var joined = NIODeadline.now()
    /// When they were last told that they wait.
    var waitedAt = NIODeadline.now()
    var place = Int.max
    /// Has cancelled, and waits for the answer to that alone.
    var isLeaving = false
    var isGone = false
    /// What each poll said of the time left.
    var estimates: [Estimate] = []

    init(number: Int, settings: Settings) {
        self.number = number
        var chance = Chance(seed: settings.seed, visitor: number)
        arrivalSeconds = Double.random(in: 0..<max(settings.arriveSeconds, 0.001), using: &chance)
        let lot = Double.random(in: 0..<1, using: &chance)
        let patience = Double.random(in: 2..<60, using: &chance)
        if lot < settings.leave {
            plan = .leave(patience)
        } else if lot < settings.leave + settings.silent {
            plan = .fallSilent(patience)
        } else {
            plan = .stay
        }
    }

    /// As a proxy in front of the gateway would tell it: everybody has one of their own.
    var address: String { "10.\(number >> 16 & 255).\(number >> 8 & 255).\(number & 255)" }
}
