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
    package func id(epoch: Int32) -> String { CallbackID(queue: queue, entry: entry, joined: joined, epoch: epoch).text }

    /// The body that is sent: the six keys that QMS had first, in its order.
    /// - Parameter pass: `nil` once the session is over.
    package func body(token: String, redirectURL: String?, pass: String?) -> JSON {
        [
            "token": .string(token),
            "visitor_id": .string(visitorID),
            "queue_id": .string(queue.description),
            "status": "ready",
            "wait_time": .integer(max(0, released.milliseconds - joined.milliseconds) / 1000),
            "redirect_url": .optional(redirectURL),
            "entry_id": .string(entry.description),
            "released_at": .string(released.rfc3339),
            "pass": .optional(pass),
        ]
    }
}

/// The name of a callback: which entry of which queue it tells of, and in which of the queue's lives. The day of joining is part of it,
/// since the same visitor may get the same entry again once the first is forgotten.
package struct CallbackID: Sendable, Equatable {
    package let queue: Identifier
    package let entry: Identifier
    package let epoch: Int32
    /// Days since 1970, by UTC.
    let day: UInt32

    package init(queue: Identifier, entry: Identifier, joined: Timestamp, epoch: Int32) {
        self.queue = queue
        self.entry = entry
        self.epoch = epoch
        day = UInt32(clamping: joined.milliseconds / 86_400_000) & 0xFF_FFFF
    }

    /// `msg_` and 52 characters.
    package var text: String {
        "msg_" + Base64URL.encode(queue.bytes + entry.bytes + Self.bytes(UInt32(bitPattern: epoch)) + Self.bytes(day).dropFirst())
    }

    package init?(_ text: some StringProtocol) {
        guard text.hasPrefix("msg_"), let bytes = Base64URL.decode(text.dropFirst(4)), bytes.count == 39 else { return nil }
        queue = Identifier(bytes: bytes[..<16])
        entry = Identifier(bytes: bytes[16..<32])
        epoch = Int32(bitPattern: bytes[32..<36].reduce(0) { $0 << 8 | UInt32($1) })
        day = bytes[36...].reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func bytes(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }
}
