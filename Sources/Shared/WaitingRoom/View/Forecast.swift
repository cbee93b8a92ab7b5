import Glibc

/// How long people will have to wait, from how the line has moved in the last minute or two.
///
/// Somebody at place p comes nearer by those who are let in, r a second, and by those before them who give up, g of each who waits a
/// second: dp/dt = -r - g·p, so that the time until nobody is before them is ln(1 + g·p/r) / g, and p/r where nobody gives up.
package struct Forecast: Sendable, Equatable {
    /// A time in seconds, and between which times it will be in nine of ten cases, if nobody changes the rate.
    package struct Wait: Sendable, Equatable {
        package let seconds: Double
        package let low: Double
        package let high: Double
    }

    /// How a line has moved, as `flow.lua` tells it.
    struct Flow: Sendable, Equatable {
        /// People let in a second, and how many seconds that rests on.
        var releasesPerSecond = 0.0
        var seconds = 0.0
        /// The part of those who wait that give up each second.
        var leavingPerSecond = 0.0
        /// Of the application's rate; `nil` where the queue's own counts alone.
        var partPerMinute: Double?

        init(releasesPerSecond: Double = 0, seconds: Double = 0, leavingPerSecond: Double = 0) {
            self.releasesPerSecond = releasesPerSecond
            self.seconds = seconds
            self.leavingPerSecond = leavingPerSecond
        }

        /// - Parameter numbers: what `flow_rates` tells.
        init(_ numbers: ArraySlice<Int64>) {
            let numbers = Array(numbers)
            guard numbers.count == 4 else { return }
            releasesPerSecond = Double(numbers[0]) / 1e6
            seconds = Double(numbers[1])
            leavingPerSecond = Double(numbers[2]) / 1e9
            partPerMinute = numbers[3] == 0 ? nil : Double(numbers[3] - 1) / 1000
        }
    }

    let releasesPerSecond: Double
    let leavingPerSecond: Double
    /// How sure the rates are: what was seen in ``enough`` seconds will do.
    let experience: Double
    /// It is the queue's own; else it was learned from how fast people leave.
    private let isRateKnown: Bool

    /// How fast a queue moves as it is set now: at its rate, which is kept; where as many are inside as may be, as fast as people have left
    /// lately.
    /// - Parameter view: how its line has moved; where that is `nil`, its rate alone counts.
    package init(_ queue: RememberedQueue, _ view: QueueView?) {
        self.init(queue, flow: view?.flow ?? Flow(), active: view?.active ?? 0)
    }

    init(_ queue: RememberedQueue, flow: Flow, active: Int) {
        var rate = min(queue.ratePerMinute, flow.partPerMinute ?? .infinity) / 60
        var experience = flow.seconds / Self.enough
        isRateKnown = !queue.isFull(active)
        if rate > 0, !isRateKnown {
            let full = Double(queue.capacity) / Double(queue.sessionSeconds)
            // Until enough people have left to tell, sessions are taken to last as long as they may.
            let share = min(1, flow.seconds / Self.enough)
            rate = min(rate, share * flow.releasesPerSecond + (1 - share) * full)
            experience /= 2
        }
        releasesPerSecond = rate
        leavingPerSecond = flow.leavingPerSecond
        self.experience = min(1, experience)
    }

    /// The wait of somebody at a place, 1 = next; `nil` when nobody is let in but by hand.
    package func wait(at place: Int) -> Wait? {
        guard releasesPerSecond > 0, place > 0 else { return nil }
        let seconds = seconds(Double(place))
        // Who is let in next is a matter of one interval; how many give up, of chance. They only make it shorter, where the rate is known.
        let (interval, doubt) = (max(1, 1 / releasesPerSecond), Self.least + (Self.unsure - Self.least) * (1 - experience))
        return Wait(
            seconds: seconds, low: max(0, seconds - interval - seconds * doubt),
            high: seconds + interval + seconds * (isRateKnown ? Self.least : doubt))
    }

    private func seconds(_ place: Double) -> Double {
        let part = leavingPerSecond * place / releasesPerSecond
        return part > 1e-6 ? log1p(part) / leavingPerSecond : place / releasesPerSecond
    }

    /// Seconds of watching after which the rates are believed.
    private static let enough = 50.0
    /// By which part of their wait nine of ten are off at most: once the rates are believed, and while nothing is known of them. The
    /// simulated events of `ForecastTests` hold them to it, without and with people who give up.
    private static let (least, unsure) = (0.08, 0.30)
}
