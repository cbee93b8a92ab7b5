/// A queue in memory, with what polls need of it at hand. All who are given it share it: to copy a ``Queue`` is to retain each of its texts.
package final class RememberedQueue: Sendable {
    package let queue: Queue
    package let epoch: Int32
    /// ``Queue/currentRatePerMinute``.
    package let ratePerMinute: Double
    package let waitTTLSeconds: Int
    package let message: String?
    package let onOutage: Queue.OnOutage

    init(_ queue: Queue) {
        self.queue = queue
        epoch = queue.epoch
        ratePerMinute = queue.currentRatePerMinute
        waitTTLSeconds = queue.waitTTLSeconds
        message = queue.message
        onOutage = queue.onOutage
    }
}
