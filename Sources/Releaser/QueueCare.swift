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
            group.addTask {
                var releases = ReleaseLoop(worker: worker, queue: queue, metrics: metrics, owed: owed)
                await releases.run()
            }
            group.addTask { await sweep() }
            group.addTask { await measure() }
            group.addTask { await CallbackLoop(worker: worker, queue: queue.id, tenant: queue.tenant, owed: owed).run() }
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
