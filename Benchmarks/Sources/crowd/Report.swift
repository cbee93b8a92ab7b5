import Load

/// One line of output a second, and the last.
struct Report: Codable {
    struct Percentiles: Codable {
        var p50 = 0.0
        var p90 = 0.0
        var p99 = 0.0
        var highest = 0.0

        init(_ values: [Double]) {
            guard !values.isEmpty else { return }
            let sorted = values.sorted()
            func at(_ share: Double) -> Double { sorted[Int(Double(sorted.count - 1) * share)] }
            (p50, p90, p99, highest) = (at(0.5), at(0.9), at(0.99), at(1))
        }
    }

    /// Of the estimates given while the time left was within a range.
    struct EstimateError: Codable {
        /// Seconds left, from and below.
        let from: Double
        let below: Double
        let count: Int
        /// Told less what came, in seconds; the middle one.
        let bias: Double
        let seconds: Percentiles
        /// Of the time that was left.
        let share: Percentiles
    }

    let second: Double
    let joined, present, released, left, fellSilent, lost: Int
    let requests: Int
    let failures: [String: Int]
    let rises, highestRise: Int
    /// Milliseconds: p50, p99, p99.9.
    let joinMilliseconds, pollMilliseconds, lateMilliseconds: [Double]

    /// In the last line only.
    var letIn: [Int]?
    var waits: Percentiles?
    var estimates: [EstimateError]?

    init(_ seen: Observations, second: Double, isLast: Bool) {
        self.second = second
        (joined, present, released) = (seen.joined, seen.present, seen.released)
        (left, fellSilent, lost) = (seen.left, seen.fellSilent, seen.lost)
        requests = seen.requests
        failures = Dictionary(uniqueKeysWithValues: seen.failures.map { (String($0.key), $0.value) })
        (rises, highestRise) = (seen.rises, seen.highestRise)
        joinMilliseconds = [0.5, 0.99, 0.999].map(seen.joinLatency.milliseconds)
        pollMilliseconds = [0.5, 0.99, 0.999].map(seen.pollLatency.milliseconds)
        lateMilliseconds = [0.5, 0.99, 0.999].map(seen.lateness.milliseconds)
        guard isLast else { return }
        letIn = seen.letIn
        waits = Percentiles(seen.waits)
        let bounds = [2.0, 10, 30, 60, 120, 300, .greatestFiniteMagnitude]
        estimates = zip(bounds, bounds.dropFirst()).compactMap { from, below in
            let some = seen.estimates.filter { from <= $0.left && $0.left < below }
            guard !some.isEmpty else { return nil }
            return EstimateError(
                from: from, below: min(below, 1e9), count: some.count, bias: Percentiles(some.map { $0.told - $0.left }).p50,
                seconds: Percentiles(some.map { abs($0.told - $0.left) }), share: Percentiles(some.map { abs($0.told - $0.left) / $0.left })
            )
        }
    }
}
