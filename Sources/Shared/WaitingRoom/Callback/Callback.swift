import Crypto

/// A notice owed to a tenant's site: one of its visitors was let in.
package struct Callback: Sendable, Equatable {
    package let queue: Identifier
    package let entry: Identifier
    package let sequence: Int64
    package let visitor: String
    package let joined: Timestamp
    package let released: Timestamp
    /// Attempts made before this one.
    package let attempts: Int

    package init(
        queue: Identifier, entry: Identifier, sequence: Int64, visitor: String, joined: Timestamp, released: Timestamp, attempts: Int
    ) {
        self.queue = queue
        self.entry = entry
        self.sequence = sequence
        self.visitor = visitor
        self.joined = joined
        self.released = released
        self.attempts = attempts
    }

    /// The `webhook-id`: the same for every attempt, and for a release that was repeated after a loss of data.
    package func id(epoch: Int32) -> String {
        var message = queue.bytes + entry.bytes
        message.append(contentsOf: "\(epoch)/\(sequence)".utf8)
        return "msg_" + Base64URL.encode(Array(SHA256.hash(data: message).prefix(18)))
    }

    /// The body that is sent: the seed's six keys first, in the seed's order.
    package func body(token: String, redirectURL: String?) -> JSON {
        [
            "token": .string(token),
            "visitor_id": .string(visitorID),
            "queue_id": .string(queue.description),
            "status": "ready",
            "wait_time": .integer(max(0, released.milliseconds - joined.milliseconds) / 1000),
            "redirect_url": .optional(redirectURL),
            "entry_id": .string(entry.description),
            "released_at": .string(released.rfc3339),
        ]
    }
}
