/// Something that went wrong and that people should know of: open until it is over.
package struct Incident: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case queueTooLong = "queue_too_long"
        case callbacksFailing = "callbacks_failing"
        case releaseStalled = "release_stalled"
        case queueLostData = "queue_lost_data"
        case redisUnwell = "redis_unwell"
    }

    package enum State: String, Sendable { case open, resolved }

    package let kind: Kind
    package let state: State
    /// The queue's id and name; `nil` when it is of the service as a whole.
    package let queue: Identifier?
    package let queueName: String?
    package let since: Timestamp
    /// `nil` while it is open.
    package let until: Timestamp?
    /// How many: people waiting, callbacks given up, or people put back after losses.
    package let value: Int
    /// What else `watch-9.lua` or ``RedisHealth`` found.
    package let detail: String

    package init(
        kind: Kind, state: State, queue: Identifier? = nil, queueName: String? = nil, since: Timestamp, until: Timestamp? = nil,
        value: Int = 0, detail: String
    ) {
        self.kind = kind
        self.state = state
        self.queue = queue
        self.queueName = queueName
        self.since = since
        self.until = until
        self.value = value
        self.detail = detail
    }
}
