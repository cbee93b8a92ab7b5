package import Redis

extension Queues {
    /// Takes one waiting person out of the line at their own wish (`cancel-5.lua`).
    /// - Returns: `false` when they were not waiting.
    package func cancel(_ ticket: Ticket) async throws(RedisError) -> Bool {
        let keys = QueueKeys(ticket.queue)
        return try await redis.evaluate(
            Scripts.cancel, keys: [keys.waiting, keys.entries, keys.rejected, keys.counters, keys.days],
            arguments: [.string(ticket.entry.compact)]
        ).integer == 1
    }
}
