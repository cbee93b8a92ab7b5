import CoreMetrics
import Logging
import Redis
import WaitingRoom

/// What a worker does in a queue whether it is awake (``QueueCare``) or asleep (``QueueRounds``).
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
