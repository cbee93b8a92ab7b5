import WaitingRoom

/// Holds what is told of waiting times against how long people wait then: every ten seconds what the last in line would be told is noted,
/// and judged when the line has moved past them, whether they are still there or not.
struct ForecastErrors {
    private struct Told {
        let sequence: Int64
        let at: ContinuousClock.Instant
        let seconds: Double
    }

    private static let interval = Duration.seconds(10)
    /// Noted at once, of one queue.
    private static let most = 360

    /// The first in line first.
    private var told: [Told] = []
    private var noted: ContinuousClock.Instant?

    func isDue(at now: ContinuousClock.Instant) -> Bool {
        told.count < Self.most && noted.map { $0.duration(to: now) >= Self.interval } ?? true
    }

    mutating func note(_ last: (sequence: Int64, wait: Forecast.Wait)?, at now: ContinuousClock.Instant) {
        noted = now
        // Those who are drawn by lot may come to stand before one who was last.
        guard let last, last.sequence > told.last?.sequence ?? 0 else { return }
        told.append(Told(sequence: last.sequence, at: now, seconds: last.wait.seconds))
    }

    /// By which part of their wait the forecasts were off of those whom a release has passed.
    mutating func judge(_ release: Release, at now: ContinuousClock.Instant) -> [Double] {
        guard let through = release.people.last?.sequence else { return [] }
        let passed = told.prefix { $0.sequence <= through }
        told.removeFirst(passed.count)
        return passed.compactMap { one in
            let waited = one.at.duration(to: now) / .seconds(1)
            return waited > 0 ? abs(one.seconds - waited) / waited : nil
        }
    }
}
