import CoreMetrics
import Logging
import WaitingRoom

/// Lets the people of one queue in: one step after the other, each when the next may go.
struct ReleaseLoop {
    let worker: Worker
    let queue: ListedQueue
    let metrics: QueueMetrics
    /// Raised when people were let in.
    let owed: Signal

    private var pace: Pace
    private var due = ContinuousClock.now
    /// From when on the pause until the next step counts.
    private var began = ContinuousClock.now
    /// Whether others may have let people in of whom this worker does not know.
    private var isBehind = true
    /// Whether Redis is still to be told whom it has lost.
    private var owesMemory = false
    /// How many wait, as far as one step goes, and how many are inside, as of the last step.
    private var waiting = 0
    private var active = 0
    /// How many of those that the application's rate granted did not go.
    private var unused = 0
    private var forecasts = ForecastErrors()

    init(worker: Worker, queue: ListedQueue, metrics: QueueMetrics, owed: Signal) {
        self.worker = worker
        self.queue = queue
        self.metrics = metrics
        self.owed = owed
        pace = Pace(tick: .milliseconds(worker.configuration.releaseTickMilliseconds))
    }

    /// Runs until cancelled.
    mutating func run() async {
        while !Task.isCancelled {
            if let reunion = worker.reunion {
                try? await Task.sleep(for: reunion)
                due = .now
                continue
            }
            began = .now
            worker.metrics.releaseLag.recordNanoseconds((began - due).nanoseconds)
            var pause = Pace.longest
            do {
                pause = try await step()
            } catch {
                isBehind = true
                worker.logger.debug("A release step failed; the next one follows", metadata: ["error": "\(error)"])
            }
            due = began + pause
            try? await Task.sleep(until: due, tolerance: .zero, clock: .continuous)
        }
    }

    /// Lets in as many as may go now.
    /// - Returns: how long after ``began`` the next step is due.
    mutating func step() async throws -> Duration {
        guard let tenant = try await worker.tenants.recent(queue.tenant), tenant.isActive else { return Pace.longest }
        // Whoever had let people in before, or the step whose reply was lost, may not be there to tell of them after a loss.
        if isBehind {
            try await worker.queues.learnReleases(of: queue.id)
            isBehind = false
        }
        let current = try await worker.queues.recent(queue.id)
        let part = try await part(of: tenant, for: current)
        let release = try await worker.queues.release(queue.id, part: part)
        active = release.active
        waiting = min(release.stillWaiting, Queues.releaseBatch)
        // A line that is passed through by now has needed nothing of what was granted.
        unused = part.map { max(0, $0.granted - release.people.count) } ?? 0
        owesMemory = owesMemory || release.foundLoss
        if owesMemory {
            try await worker.tellOfLoss(of: queue.id)
            owesMemory = false
        }
        // A slow queue's token is counted from when Redis told of it.
        if release.people.isEmpty || release.nextToken ?? .zero > pace.tick { began = .now }
        if !release.people.isEmpty {
            worker.metrics.released.increment(by: release.people.count)
            owed.raise()
        }
        try await judge(release, current)
        let passes = current?.state == .passthrough
        let rate = min(current?.currentRatePerMinute ?? 0, passes ? .infinity : part?.ratePerMinute ?? .infinity)
        metrics.asked(ratePerMinute: min(current?.askedRatePerMinute(active: release.active) ?? 0, rate))
        return pace.next(after: release, ratePerMinute: rate)
    }

    /// What the queue may have now of its application's rate; `nil` where that has none.
    private mutating func part(of tenant: Tenant, for current: Queue?) async throws -> RatePart? {
        guard let total = tenant.ratePerMinute else { return nil }
        // One that is passed through needs no grant. Should it be open again by now, its people go from the next step on.
        guard let current, current.state != .passthrough else { return .nothing(of: total) }
        let wanted = current.askedRatePerMinute(active: active) > 0 ? waiting : 0
        // Given back once, whatever becomes of this step: given back twice it would be granted twice, while what nobody gives back is only
        // lost.
        let givenBack = unused
        unused = 0
        return try await worker.queues.apportion(total, to: current, wanted: wanted, unused: givenBack)
    }

    /// Counts what the step did, and holds against it what was told of waiting times.
    private mutating func judge(_ release: Release, _ current: Queue?) async throws {
        metrics.released(release)
        metrics.judged(forecasts.judge(release, at: .now))
        if let current, waiting > 0, forecasts.isDue(at: .now) {
            forecasts.note(try await worker.queues.forecastOfLast(in: current), at: .now)
        }
    }
}
