import CoreMetrics
import Logging
import Redis
import WaitingRoom

/// Looks after one queue while it is awake (``QueueRounds``): lets people in, sweeps out the silent, delivers callbacks, writes the queue's
/// series. They run beside each other, so that a slow receiver never holds up a release.
struct QueueCare: Sendable {
    let worker: Worker
    let queue: ListedQueue
    let metrics: QueueMetrics

    /// Runs until cancelled.
    func run() async {
        let owed = Signal()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await release(owed) }
            group.addTask { await sweep() }
            group.addTask { await measure() }
            group.addTask { await CallbackLoop(worker: worker, queue: queue.id, tenant: queue.tenant, owed: owed).run() }
        }
    }

    private func release(_ owed: Signal) async {
        var pace = Pace(tick: .milliseconds(worker.configuration.releaseTickMilliseconds))
        var due = ContinuousClock.now
        var owesMemory = false
        var isBehind = true
        var (waiting, unused, active) = (0, 0, 0)
        var forecasts = ForecastErrors()
        while !Task.isCancelled {
            if let reunion = worker.reunion {
                try? await Task.sleep(for: reunion)
                due = .now
                continue
            }
            var began = ContinuousClock.now
            worker.metrics.releaseLag.recordNanoseconds((began - due).nanoseconds)
            var pause = Pace.longest
            do {
                guard let tenant = try await worker.tenants.recent(queue.tenant), tenant.isActive else {
                    due = began + pause
                    try? await Task.sleep(for: pause)
                    continue
                }
                // Whoever had let people in before, or the step whose reply was lost, may not be there to tell of them after a loss.
                if isBehind {
                    try await worker.queues.learnReleases(of: queue.id)
                    isBehind = false
                }
                let current = try await worker.queues.recent(queue.id)
                var part: RatePart?
                if let total = tenant.ratePerMinute, let current, current.state != .passthrough {
                    let wanted = current.askedRatePerMinute(active: active) > 0 ? waiting : 0
                    part = try await worker.queues.apportion(total, to: current, wanted: wanted, unused: unused)
                }
                let release = try await worker.queues.release(queue.id, part: part)
                active = release.active
                waiting = min(release.stillWaiting, Queues.releaseBatch)
                unused = part.map { $0.granted - release.people.count } ?? 0
                owesMemory = owesMemory || release.foundLoss
                if owesMemory {
                    try await worker.tellOfLoss(of: queue.id)
                    owesMemory = false
                }
                // A slow queue's token is counted from when Redis told of it.
                if release.people.isEmpty || release.nextToken ?? .zero > pace.tick { began = .now }
                metrics.released(release)
                metrics.judged(forecasts.judge(release, at: .now))
                if let current, waiting > 0, forecasts.isDue(at: .now) {
                    forecasts.note(try await worker.queues.forecastOfLast(in: current), at: .now)
                }
                if !release.people.isEmpty {
                    worker.metrics.released.increment(by: release.people.count)
                    owed.raise()
                }
                let rate = min(current?.currentRatePerMinute ?? 0, part?.ratePerMinute ?? .infinity)
                metrics.asked(ratePerMinute: min(current?.askedRatePerMinute(active: release.active) ?? 0, rate))
                pause = pace.next(after: release, ratePerMinute: rate)
            } catch {
                isBehind = true
                worker.logger.debug("A release step failed; the next one follows", metadata: ["error": "\(error)"])
            }
            due = began + pause
            try? await Task.sleep(until: due, tolerance: .zero, clock: .continuous)
        }
    }

    /// Writes a point of the queue's series after each minute; spread over two seconds, since all queues' minutes end together.
    private func measure() async {
        var pause = try? await worker.queues.untilMinuteEnds()
        while !Task.isCancelled {
            try? await Task.sleep(for: (pause ?? .seconds(5)) + .milliseconds(Int.random(in: 50..<2000)))
            if !Task.isCancelled { pause = try? await worker.queues.measure(queue.id) }
        }
    }

    private func sweep() async {
        while !Task.isCancelled {
            var interval = 10
            if let current = try? await worker.queues.recent(queue.id) {
                interval = Queues.sweepInterval(waitTTLSeconds: current.waitTTLSeconds)
                // While no gateway is there, nobody can poll. The sweep sees from the gap that there was an outage.
                if (try? await SignsOfLife.areNoted(in: worker.redis)) == true { await worker.sweep(current) }
            }
            try? await Task.sleep(for: .seconds(interval))
        }
    }
}

extension Worker {
    /// Redis has lost people of a queue: it is told who had been let in.
    func tellOfLoss(of queue: Identifier) async throws {
        let released = try await queues.rememberReleased(queue) ?? 0
        logger.warning(
            "Redis has lost data of a queue; nobody is let in until its visitors had time to come back",
            metadata: [
                "queue_id": "\(queue)", "seconds": "\(configuration.rebuildSeconds)", "released_again": "\(released)",
            ])
    }

    /// Goes through the whole line of a queue once.
    func sweep(_ queue: Queue) async {
        var cursor: Int64 = 0
        repeat {
            guard let step = try? await queues.sweep(queue, cursor: cursor, retentionHours: configuration.retentionHours) else { return }
            metrics.expired.increment(by: step.expired)
            cursor = step.cursor
            if step.transfers > 0 { try? await queues.completeTransfers(from: queue.id) }
        } while cursor != 0 && !Task.isCancelled
    }
}
