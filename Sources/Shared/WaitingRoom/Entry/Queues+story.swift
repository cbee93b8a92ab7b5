package import Redis

/// What is known of one person beside their entry.
package struct Story: Sendable, Equatable {
    /// The place they had when they joined; `nil` when those who were ahead of them are forgotten.
    package let placeWhenJoined: Int?
    /// `nil` when none is owed.
    package let callback: CallbackStatus?
}

extension Queues {
    /// What is known of one person beside their entry (`story-12.lua`).
    /// - Parameter retentionHours: how long finished people stay readable.
    /// - Returns: `nil` for one who is not known.
    package func story(of entry: Identifier, in queue: Identifier, retentionHours: Double) async throws(RedisError) -> Story? {
        let keys = QueueKeys(queue)
        let reply = try await redis.evaluate(
            Scripts.story,
            keys: [
                keys.counters, keys.entries, keys.ready, keys.expired, keys.rejected, keys.outbox, keys.callbacks, keys.dead,
                keys.deadLetters, keys.deliveries, keys.waiting, keys.visitors,
            ],
            arguments: [.string(entry.compact), .integer(Int64(retentionHours * 3_600_000))])
        guard let values = reply.array, values.count == 6 else { return nil }
        return Story(
            placeWhenJoined: values[0].integer.flatMap { $0 == 0 ? nil : Int($0) }, callback: CallbackStatus(values[1...]))
    }

    /// Which of `queues` knows the entry; `nil` for none.
    package func find(_ entry: Identifier, in queues: [Queue]) async throws(RedisError) -> Queue? {
        let waits = try await redis.pipeline(queues.map { RedisCommand("ZSCORE", .string($0.keys.waiting), .string(entry.compact)) })
        for (queue, score) in zip(queues, waits) where try score.get() != .null { return queue }
        let finished = try await redis.pipeline(
            queues.map { RedisCommand("HEXISTS", .string($0.keys.entries), .string(entry.compact)) })
        for (queue, reply) in zip(queues, finished) where try reply.get().integer == 1 { return queue }
        return nil
    }
}
