package import Redis

extension Queues {
    /// Lets one waiting person in by hand, wherever they stand (`let_in-11.lua`). It spends nothing of the token bucket, and goes beyond
    /// the capacity.
    /// - Returns: `false` when they were not waiting.
    package func letIn(_ entry: Identifier, of queue: Identifier) async throws(RedisError) -> Bool {
        let keys = QueueKeys(queue)
        return try await redis.evaluate(
            Scripts.letIn,
            keys: [
                keys.waiting, keys.entries, keys.ready, keys.outbox, keys.counters, keys.days, keys.typed, keys.events, keys.settings,
                keys.visitors, keys.sessions,
            ],
            arguments: [.string(entry.compact)]
        ).integer == 1
    }
}
