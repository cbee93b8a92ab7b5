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

    /// The first 100 people found whose visitor id or name holds `text` (`search-1.lua`), by their sequence numbers. Looks at everybody whom
    /// the queue knows, some at a time.
    package func search(_ queue: Identifier, for text: String) async throws(RedisError) -> [Entry] {
        var cursor: Int64 = 0
        var found: Set<Identifier> = []
        repeat {
            let reply = try await redis.evaluate(
                Scripts.search, keys: [QueueKeys(queue).entries], arguments: [.integer(cursor), .string(text.lowercased()), 1000])
            guard let values = reply.array, values.count == 2 else { break }
            cursor = values[0].integer ?? 0
            found.formUnion((values[1].array ?? []).compactMap { $0.string.flatMap(Identifier.init(compact:)) })
        } while cursor != 0 && found.count < 100
        var entries: [Entry] = []
        for id in found.prefix(100) {
            if let entry = try await status(of: id, in: queue) { entries.append(entry) }
        }
        return entries.sorted { $0.sequence < $1.sequence }
    }
}
