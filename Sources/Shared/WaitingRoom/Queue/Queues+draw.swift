package import Redis

extension Queues {
    /// How the places of a queue's opening were drawn.
    /// - Returns: the seed, `nil` before the opening or when no `SECRET_KEY` that is known has made it; and how many drew a lot.
    package func draw(of queue: Queue) async throws(RedisError) -> (seed: String?, count: Int) {
        let drawn = try await redis.send(RedisCommand("HMGET", .string(queue.keys.counters), "draw", "drawn")).array ?? []
        let time = (try await redis.send(RedisCommand("TIME"), near: queue.keys.counters).array ?? []).map { $0.integer ?? 0 }
        guard time.count == 2 else { return (nil, 0) }
        let now = Timestamp(milliseconds: time[0] * 1000 + time[1] / 1000)
        let count = drawn.first?.integer == Int64(queue.opening) ? drawn.last?.integer ?? 0 : 0
        let hasOpened = queue.opened == queue.opening || queue.opensAt.map { $0 <= now } ?? false
        return (hasOpened ? shuffles.shuffle(of: queue)?.seed : nil, Int(count))
    }
}
