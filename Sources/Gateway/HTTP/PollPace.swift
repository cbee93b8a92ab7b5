import NIOCore
import Synchronization
import WaitingRoom

/// When those who wait are asked to poll next.
enum PollPace {
    private static let near = 1500.0
    private static let far = 15_000.0
    /// How much more rarely than usual a gateway asks to be polled at most.
    private static let slowest = 4.0
    /// In thousandths.
    private static let load = Atomic(1000)
    /// Milliseconds within which everybody is to poll.
    private static let most = Atomic(Int.max)

    /// Milliseconds until the next poll is worth making: about 1,500 near the front, growing with the wait ahead to 15,000, give or take a
    /// fifth so that visitors who came together do not poll together. Up to four times that while the gateway is loaded, and always often
    /// enough not to be given up, and to be back in time after a loss (``limit(rebuildSeconds:)``).
    static func pause(position: Int, rate: Double, waitTTLSeconds: Int) -> Int {
        let seconds = rate > 0 ? Double(position) * 60 / rate : nil
        var delay = near
        if position > 20, (seconds ?? .infinity) > 30 {
            // A twentieth of the time ahead; without a rate, as if one were let in every 1.5 seconds.
            let ahead = seconds ?? Double(position) * 1.5
            delay = min(max(ahead * 50, near), far)
        }
        delay *= Double(load.load(ordering: .relaxed)) / 1000
        if waitTTLSeconds > 0 { delay = min(delay, Double(waitTTLSeconds) * 250) }
        delay = min(delay, Double(most.load(ordering: .relaxed)) / 1.2)
        var jitter = Jitter()
        return Int(delay * Double.random(in: 0.8...1.2, using: &jitter))
    }

    /// The same before an opening: seldom, and after it all who wait within some seconds rather than at once.
    /// - Parameter untilOpening: seconds.
    static func pause(untilOpening: Double, length: Int, waitTTLSeconds: Int) -> Int {
        var jitter = Jitter()
        let spread = min(far, near + Double(length) / 10)
        let left = untilOpening * 1000 + Double.random(in: 0..<spread, using: &jitter)
        var delay = left <= far + spread ? left : far * Double.random(in: 0.8...1.2, using: &jitter)
        if waitTTLSeconds > 0 { delay = min(delay, Double(waitTTLSeconds) * 250) }
        return Int(min(delay, Double(most.load(ordering: .relaxed)) / 1.2))
    }

    /// Sees to it that everybody polls within the time for which releases wait after a loss (`REBUILD_SECONDS`), a tenth of it to spare:
    /// who comes back later has been passed.
    static func limit(rebuildSeconds: Int) { if rebuildSeconds > 0 { most.store(rebuildSeconds * 900, ordering: .relaxed) } }

    /// Notes how late an event loop was, which tells how loaded the gateway is: at 50 ms polls come half as often.
    static func noteLateness(_ lateness: TimeAmount) {
        let now = min(slowest, 1 + Double(max(0, lateness.nanoseconds)) / 50_000_000) * 1000
        let before = load.load(ordering: .relaxed)
        load.store(Int((Double(before) * 3 + now) / 4), ordering: .relaxed)
    }

    /// Looks at the event loops four times a second until cancelled.
    static func watch(_ eventLoops: any EventLoopGroup) async {
        while !Task.isCancelled {
            for eventLoop in eventLoops.makeIterator() {
                let asked = NIODeadline.now()
                eventLoop.execute { noteLateness(.now() - asked) }
            }
            try? await Task.sleep(for: .milliseconds(250))
        }
    }
}
