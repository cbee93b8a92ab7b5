package import Redis

extension Queues {
    /// Lists people of a queue (`list-6.lua`): those waiting in their order, then those who finished, state by state.
    /// Some at a time: who moves on meanwhile may be listed twice or not at all.
    /// - Parameters:
    ///   - states: which to list; all by default.
    ///   - skip, limit: the part of that list wanted.
    package func list(_ queue: Identifier, states: [Entry.State] = Entry.State.allCases, skip: Int, limit: Int)
        async throws(RedisError) -> [Entry]
    {
        var entries: [Entry] = []
        for start in stride(from: 0, to: limit, by: Self.listBatch) {
            let some = try await list(queue, states, skip: skip + start, limit: min(limit - start, Self.listBatch))
            if some.isEmpty { break }
            entries += some
        }
        return entries
    }

    /// The most people that one step of a list or of a search looks at, so that no script runs long.
    private static var listBatch: Int { 250 }

    private func list(_ queue: Identifier, _ states: [Entry.State], skip: Int, limit: Int) async throws(RedisError) -> [Entry] {
        let keys = QueueKeys(queue)
        let reply = try await redis.evaluate(
            Scripts.list, keys: [keys.waiting, keys.ready, keys.expired, keys.rejected, keys.entries, keys.visitors],
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

    /// The first 100 people found whose visitor id or name holds `text` (`search-3.lua`), by their sequence numbers. Looks at everybody
    /// whom the queue knows, some at a time.
    package func search(_ queue: Identifier, for text: String) async throws(RedisError) -> [Entry] {
        let keys = QueueKeys(queue)
        var cursor = "0-0"
        var found: Set<Identifier> = []
        repeat {
            let reply = try await redis.evaluate(
                Scripts.search, keys: [keys.entries, keys.waiting, keys.visitors],
                arguments: [.string(cursor), .string(text.lowercased()), .integer(Int64(Self.listBatch))])
            guard let values = reply.array, values.count == 2 else { break }
            cursor = values[0].string ?? ""
            found.formUnion((values[1].array ?? []).compactMap { $0.string.flatMap(Identifier.init(compact:)) })
        } while !cursor.isEmpty && found.count < 100
        var entries: [Entry] = []
        for id in found.prefix(100) {
            if let entry = try await status(of: id, in: queue) { entries.append(entry) }
        }
        return entries.sorted { $0.sequence < $1.sequence }
    }
}
