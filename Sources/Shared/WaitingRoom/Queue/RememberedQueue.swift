/// A queue in memory, with what polls need of it at hand. All who are given it share it: to copy a ``Queue`` is to retain each of its
/// texts.
package final class RememberedQueue: Sendable {
    package let queue: Queue
    package let epoch: Int32
    /// ``Queue/currentRatePerMinute``.
    package let ratePerMinute: Double
    package let rateText: String
    package let waitTTLSeconds: Int
    package let message: String?
    package let onOutage: Queue.OnOutage
    package let isPaused: Bool
    package let opensAt: Timestamp?
    /// Whether places are drawn by lot before ``opensAt``.
    package let isShuffled: Bool
    /// ``Queue/maximumActive``, where it counts; else 0.
    let capacity: Int
    let sessionSeconds: Int

    package init(_ queue: Queue) {
        self.queue = queue
        epoch = queue.epoch
        ratePerMinute = queue.currentRatePerMinute
        rateText = JSON.number(queue.currentRatePerMinute).text
        waitTTLSeconds = queue.waitTTLSeconds
        message = queue.message
        onOutage = queue.onOutage
        isPaused = queue.state == .paused
        opensAt = queue.state == .passthrough ? nil : queue.opensAt
        isShuffled = queue.preQueueOrder == .shuffle
        capacity = queue.state == .passthrough ? 0 : queue.maximumActive
        sessionSeconds = queue.sessionSeconds
    }

    /// Whether nobody may go in before somebody has left.
    package func isFull(_ view: QueueView) -> Bool { isFull(view.active) }

    /// The same, when so many are inside.
    func isFull(_ active: Int) -> Bool { capacity > 0 && active >= capacity }
}
