package import Redis

extension Queues {
    /// Takes one waiting person out of the line at their own wish (`cancel-8.lua`); somebody whom Redis has lost, too.
    /// - Returns: `false` when they were not waiting.
    package func cancel(_ ticket: Ticket) async throws(RedisError) -> Bool {
        if try await cancel(ticket.entry, in: ticket.queue) { return true }
        guard try await restore(ticket) == .waiting else { return false }
        return try await cancel(ticket.entry, in: ticket.queue)
    }

    /// Takes the person of an entry out of the line.
    package func cancel(_ entry: Identifier, in queue: Identifier) async throws(RedisError) -> Bool {
        let keys = QueueKeys(queue)
        return try await redis.evaluate(
            Scripts.cancel,
            keys: [keys.waiting, keys.entries, keys.rejected, keys.counters, keys.days, keys.typed, keys.events, keys.visitors],
            arguments: [.string(entry.compact)]
        ).integer == 1
    }
}
