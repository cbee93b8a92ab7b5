package import Redis

extension Queues {
    /// The lowest sequence number of those who wait in a queue; `nil` when nobody does.
    package func first(of queue: Queue) async throws(RedisError) -> Int64? {
        let reply = try await redis.send(RedisCommand("ZRANGE", .string(queue.keys.waiting), 0, 0, "WITHSCORES"))
        return reply.array?.last?.string.flatMap { Double($0) }.map { Int64($0) }
    }
}
