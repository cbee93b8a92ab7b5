package import Redis

extension Queues {
    /// A desk calls the first in line (`serve-7.lua`). Safe under any number of desks and workers at once.
    /// - Returns: who was called; `nil` when nobody waits.
    package func serveNext(_ queue: Identifier) async throws(RedisError) -> Entry? {
        let keys = QueueKeys(queue)
        let reply = try await redis.evaluate(
            Scripts.serve,
            keys: [keys.waiting, keys.entries, keys.ready, keys.outbox, keys.counters, keys.days, keys.services], arguments: [])
        guard let values = reply.array, values.count == 6, let id = values[0].string.flatMap(Identifier.init(compact:)) else { return nil }
        return Self.entry(
            queue: queue, id: id, state: .released, sequence: values[1], joined: values[2], finished: values[3], position: .integer(0),
            length: Int(values[4].integer ?? 0), silence: .integer(0), visitor: values[5], now: 0)
    }

    /// Minutes that one customer takes at the desk: the mean of the latest 20 services once there were three, until then what the queue
    /// was set to.
    package func averageServiceMinutes(_ queue: Queue) async throws(RedisError) -> Double {
        let services = (try await redis.send(RedisCommand("LRANGE", .string(queue.keys.services), 0, 19)).array ?? []).compactMap {
            $0.string.flatMap(Double.init)
        }
        guard services.count >= 3 else { return queue.averageServiceMinutes }
        return services.reduce(0, +) / Double(services.count) / 60_000
    }

    /// Gives a queue that nobody has claimed yet its admin key (`claim-1.lua`).
    /// - Returns: `false` when it has one, or is gone.
    package func claim(_ queue: Identifier, with key: AdminKey) async throws(RedisError) -> Bool {
        defer { forget(queue) }
        return try await redis.evaluate(Scripts.claim, keys: [QueueKeys(queue).settings], arguments: [.string(key.hash)]).integer == 1
    }
}
