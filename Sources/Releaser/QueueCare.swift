import CoreMetrics
import Logging
import Redis
import WaitingRoom

/// Looks after one queue while this worker has its lock: lets people in, sweeps out the silent, delivers callbacks, writes the queue's series.
/// They run beside each other, so that a slow receiver never holds up a release.
struct QueueCare: Sendable {
    let worker: Worker
    let queue: Queue

    /// Runs until cancelled.
    func run() async {
        let metrics = worker.metrics.queue(queue.id)
        let owed = Signal()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await release(metrics, owed) }
            group.addTask { await sweep() }
            group.addTask { await measure() }
            group.addTask { await CallbackLoop(worker: worker, queue: queue.id, tenant: queue.tenant, owed: owed).run() }
        }
        metrics.forget()
    }

    private func release(_ metrics: QueueMetrics, _ owed: Signal) async {
        var pace = Pace(tick: .milliseconds(worker.configuration.releaseTickMilliseconds))
        var due = ContinuousClock.now
        while !Task.isCancelled {
            var began = ContinuousClock.now
            worker.metrics.releaseLag.recordNanoseconds((began - due).nanoseconds)
            var pause = Pace.longest
            do {
                let release = try await worker.queues.release(queue.id)
                // A slow queue's token is counted from when Redis told of it.
                if release.people.isEmpty || release.nextToken ?? .zero > pace.tick { began = .now }
                metrics.released(release)
                if !release.people.isEmpty {
                    worker.metrics.released.increment(by: release.people.count)
                    owed.raise()
                }
                let rate = (try await worker.queues.recent(queue.id) ?? queue).currentRatePerMinute
                metrics.asked(ratePerMinute: rate)
                pause = pace.next(after: release, ratePerMinute: rate)
            } catch {
                worker.logger.debug("A release step failed; the next one follows", metadata: ["error": "\(error)"])
            }
            due = began + pause
            try? await Task.sleep(until: due, tolerance: .zero, clock: .continuous)
        }
    }

    /// Writes a point of the queue's series after each minute; spread over two seconds, since all queues' minutes end together.
    private func measure() async {
        while !Task.isCancelled {
            let pause = (try? await worker.queues.measure(queue.id)) ?? .seconds(5)
            try? await Task.sleep(for: pause + .milliseconds(Int.random(in: 50..<2000)))
        }
    }

    private func sweep() async {
        while !Task.isCancelled {
            var interval = 10
            if let current = try? await worker.queues.recent(queue.id) {
                interval = Queues.sweepInterval(waitTTLSeconds: current.waitTTLSeconds)
                await sweep(current)
            }
            try? await Task.sleep(for: .seconds(interval))
        }
    }

    private func sweep(_ queue: Queue) async {
        var cursor: Int64 = 0
        repeat {
            guard let step = try? await worker.queues.sweep(queue, cursor: cursor, retentionHours: worker.configuration.retentionHours)
            else {
                return
            }
            worker.metrics.expired.increment(by: step.expired)
            cursor = step.cursor
            if step.transfers > 0 { try? await worker.queues.completeTransfers(from: queue.id) }
        } while cursor != 0 && !Task.isCancelled
    }
}
