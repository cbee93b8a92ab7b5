package import Redis

extension Queues {
    /// Lists people of a queue (`list-5.lua`): those waiting in their order, then those who finished, state by state.
    /// - Parameters:
    ///   - states: which to list; all by default.
    ///   - skip, limit: the part of that list wanted.
    package func list(_ queue: Identifier, states: [Entry.State] = Entry.State.allCases, skip: Int, limit: Int)
        async throws(RedisError) -> [Entry]
    {
        let keys = QueueKeys(queue)
        let reply = try await redis.evaluate(
            Scripts.list, keys: [keys.waiting, keys.ready, keys.expired, keys.rejected, keys.entries],
            arguments: [.string(states.map(\.rawValue).joined()), .integer(Int64(skip)), .integer(Int64(limit))])
        guard let values = reply.array, values.count == 3, let rows = values[2].array else { return [] }
        return stride(from: 0, to: rows.count - 7, by: 8).compactMap { start in
            guard let id = rows[start].string.flatMap(Identifier.init(compact:)) else { return nil }
            return Self.entry(
                queue: queue, id: id, state: rows[start + 1], sequence: rows[start + 2], joined: rows[start + 3], finished: rows[start + 4],
                position: rows[start + 5], length: Int(values[0].integer ?? 0), silence: rows[start + 6], visitor: rows[start + 7],
                now: values[1].integer ?? 0)
        }
    }
}
