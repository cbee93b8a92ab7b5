/// How a queue would take a crowd: its whole event on a virtual clock, touching no queue.
///
/// People come, wait in order, and go in by the rules of `release-12.lua`: one by one, 60 / rate seconds apart, the first of an idle queue
/// at once. With a capacity, a place inside must be free as well; it is for ``sessionSeconds`` after somebody went in.
package struct Rehearsal: Sendable {
    package enum Arrivals: Sendable, Equatable {
        /// Evenly over the whole time.
        case steady
        /// Evenly over the first minute.
        case burst
        /// So many in each minute, evenly within it.
        case perMinute([Int])
    }

    package struct Result: Sendable, Equatable {
        /// One minute, or one in several of a long event.
        package struct Point: Sendable, Equatable {
            /// From the beginning; 1 is the first minute.
            package let minute: Int
            /// How many wait when it ends.
            package let waiting: Int
            /// How many went in since the point before.
            package let released: Int
        }

        package let points: [Point]
        /// Waits of those who went in, by nearest rank; `nil` when nobody did.
        package let waitP50Seconds: Double?
        package let waitP95Seconds: Double?
        package let waitP99Seconds: Double?
        /// When nobody waits any more; `nil` for never.
        package let finishedAfterMinutes: Double?
        package let gaveUp: Int
    }

    /// The most points that a result has.
    private static let mostPoints = 1440

    package var visitors: Int
    package var arrivals: Arrivals
    package var durationMinutes: Int
    /// 0 lets nobody in.
    package var ratePerMinute: Double
    /// How many may be inside at once; 0 for no capacity.
    package var maximumActive: Int
    package var sessionSeconds: Double
    /// The share of those who have to wait that give up, each at a random moment of their wait.
    package var leaveShare: Double
    /// The same seed gives the same people.
    package var seed: UInt64

    package init(
        visitors: Int, arrivals: Arrivals, durationMinutes: Int, ratePerMinute: Double, maximumActive: Int = 0,
        sessionSeconds: Double = 600, leaveShare: Double = 0, seed: UInt64 = 1
    ) {
        self.visitors = visitors
        self.arrivals = arrivals
        self.durationMinutes = durationMinutes
        self.ratePerMinute = ratePerMinute
        self.maximumActive = maximumActive
        self.sessionSeconds = sessionSeconds
        self.leaveShare = leaveShare
        self.seed = seed
    }

    package func run() -> Result {
        guard ratePerMinute > 0 else { return standstill() }
        let interval = 60 / ratePerMinute
        var random = SplitMix64(state: seed)
        /// When those who went in did, in order.
        var released: [Double] = []
        var waits: [Double] = []
        var left: [Double] = []
        released.reserveCapacity(visitors)
        waits.reserveCapacity(visitors)
        let times = times()
        for time in times {
            var turn = time
            if let last = released.last { turn = max(turn, last + interval) }
            if maximumActive > 0, released.count >= maximumActive {
                turn = max(turn, released[released.count - maximumActive] + sessionSeconds)
            }
            if turn > time, leaveShare > 0, random.unit() < leaveShare {
                left.append(time + random.unit() * (turn - time))
            } else {
                released.append(turn)
                waits.append(turn - time)
            }
        }
        left.sort()
        waits.sort()
        func percentile(_ share: Double) -> Double? {
            waits.isEmpty ? nil : waits[max(0, Int((share * Double(waits.count)).rounded(.up)) - 1)]
        }
        let end = max(released.last ?? 0, left.last ?? 0)
        return Result(
            points: points(times: times, released: released, left: left, end: end), waitP50Seconds: percentile(0.5),
            waitP95Seconds: percentile(0.95), waitP99Seconds: percentile(0.99), finishedAfterMinutes: end / 60, gaveUp: left.count)
    }

    /// Nobody is let in. A wait without an end has no moment at which to give up, so nobody does.
    private func standstill() -> Result {
        let times = times()
        return Result(
            points: points(times: times, released: [], left: [], end: 0), waitP50Seconds: nil,
            waitP95Seconds: nil, waitP99Seconds: nil, finishedAfterMinutes: nil, gaveUp: 0)
    }

    /// When each comes, in seconds from the beginning, in order.
    private func times() -> [Double] {
        switch arrivals {
        case .steady: even(visitors, from: 0, seconds: Double(durationMinutes) * 60)
        case .burst: even(visitors, from: 0, seconds: 60)
        case .perMinute(let counts): counts.enumerated().flatMap { minute, count in even(count, from: Double(minute) * 60, seconds: 60) }
        }
    }

    private func even(_ count: Int, from start: Double, seconds: Double) -> [Double] {
        (0..<count).map { start + Double($0) * seconds / Double(count) }
    }

    /// All three lists are in order.
    private func points(times: [Double], released: [Double], left: [Double], end: Double) -> [Result.Point] {
        let minutes = max(durationMinutes, Int((end / 60).rounded(.down)) + 1)
        let step = (minutes + Self.mostPoints - 1) / Self.mostPoints
        var points: [Result.Point] = []
        var (came, went, gone, before) = (0, 0, 0, 0)
        var minute = 0
        while minute < minutes {
            minute = min(minutes, minute + step)
            let until = Double(minute) * 60
            while came < times.count, times[came] < until { came += 1 }
            while went < released.count, released[went] < until { went += 1 }
            while gone < left.count, left[gone] < until { gone += 1 }
            points.append(.init(minute: minute, waiting: came - went - gone, released: went - before))
            before = went
        }
        return points
    }
}

/// Random numbers that a seed decides (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
struct SplitMix64 {
    var state: UInt64

    /// From 0 up to, but not, 1.
    mutating func unit() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((word ^ (word >> 31)) >> 11) / Double(UInt64(1) << 53)
    }
}
