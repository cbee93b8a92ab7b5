package import Redis

extension Queues {
    /// How the places of a queue's opening were drawn.
    /// - Returns: the seed, `nil` before the opening or when no `SECRET_KEY` that is known has made it; how many drew a lot, and how many
    ///   numbers there were to draw from, 0 while nobody has drawn.
    package func shuffle(of queue: Queue) async throws(RedisError) -> (seed: String?, count: Int, slots: Int) {
        let drawn = try await redis.send(RedisCommand("HMGET", .string(queue.keys.counters), "draw", "drawn", "draw_slots")).array ?? []
        let now = try await time(of: queue)
        let isPresent = drawn.count == 3 && drawn[0].integer == Int64(queue.opening)
        let (count, slots) = isPresent ? (drawn[1].integer ?? 0, drawn[2].integer ?? 0) : (0, 0)
        let hasOpened = queue.opened == queue.opening || queue.opensAt.map { $0 <= now } ?? false
        return (hasOpened ? shuffles.shuffle(of: queue)?.seed : nil, Int(count), Int(slots))
    }
}
