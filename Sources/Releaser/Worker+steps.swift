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

    /// Goes once through the whole line of a queue and all of its finished people whose time has come.
    func sweep(_ queue: Queue) async {
        var (cursor, finished): (Int64?, Int64?) = (0, 0)
        repeat {
            let hours = configuration.retentionHours
            guard let step = try? await queues.sweep(queue, cursor: cursor, finishedCursor: finished, retentionHours: hours) else { return }
            metrics.expired.increment(by: step.expired)
            cursor = step.cursor == 0 ? nil : step.cursor
            finished = step.finishedCursor == 0 ? nil : step.finishedCursor
            if step.transfers > 0 { try? await queues.completeTransfers(from: queue.id) }
        } while (cursor != nil || finished != nil) && !Task.isCancelled
    }
}
