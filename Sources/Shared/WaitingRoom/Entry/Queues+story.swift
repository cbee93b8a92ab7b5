package import Redis

/// What is known of one person beside their entry.
package struct Story: Sendable, Equatable {
    /// The place they had when they joined; `nil` when those who were ahead of them are forgotten.
    package let placeWhenJoined: Int?
    /// `nil` when none is owed.
    package let callback: CallbackStatus?
}

extension Queues {
    /// What is known of one person beside their entry (`story-11.lua`).
    /// - Parameter retentionHours: how long finished people stay readable.
    /// - Returns: `nil` for one who is not known.
    package func story(of entry: Identifier, in queue: Identifier, retentionHours: Int) async throws(RedisError) -> Story? {
        let keys = QueueKeys(queue)
        let reply = try await redis.evaluate(
            Scripts.story,
            keys: [
                keys.counters, keys.entries, keys.ready, keys.expired, keys.rejected, keys.outbox, keys.callbacks, keys.dead,
                keys.deadLetters, keys.deliveries, keys.waiting,
            ],
            arguments: [.string(entry.compact), .integer(Int64(retentionHours) * 3_600_000)])
        guard let values = reply.array, values.count == 6 else { return nil }
        return Story(
            placeWhenJoined: values[0].integer.flatMap { $0 == 0 ? nil : Int($0) }, callback: CallbackStatus(values[1...]))
    }

    /// Which of `queues` knows the entry; `nil` for none.
    package func find(_ entry: Identifier, in queues: [Queue]) async throws(RedisError) -> Queue? {
        let replies = try await redis.pipeline(
            queues.map { RedisCommand("HEXISTS", .string($0.keys.entries), .string(entry.compact)) })
        for (queue, reply) in zip(queues, replies) where try reply.get().integer == 1 { return queue }
        return nil
    }
}
