package import Redis

extension Queues {
    /// Makes the pass of an entry worthless, for as long as any pass can be good, and ends its session (`revoke-2.lua`).
    package func revokePass(of entry: Identifier, in queue: Identifier) async throws(RedisError) {
        _ = try await redis.evaluate(
            Scripts.revoke, keys: [QueueKeys(queue).revoked, QueueKeys(queue).sessions],
            arguments: [.string(entry.compact), .integer(Int64(Queue.sessionLengths.upperBound) * 1000)])
    }

    /// Lets the session that a pass stands for last longer (`renew-2.lua`).
    /// - Parameter seconds: from now on, by Redis's clock.
    /// - Returns: when it ends; `nil` when the pass was revoked.
    package func renewSession(of pass: Pass, seconds: Int) async throws(RedisError) -> Timestamp? {
        let keys = QueueKeys(pass.queue)
        let ends = try await redis.evaluate(
            Scripts.renew, keys: [keys.sessions, keys.revoked],
            arguments: [.string(pass.entry.compact), .integer(Int64(seconds) * 1000)]
        ).integer
        return ends.flatMap { $0 > 0 ? Timestamp(milliseconds: $0) : nil }
    }

    /// Whether the pass of an entry was revoked.
    package func isPassRevoked(of entry: Identifier, in queue: Identifier) async throws(RedisError) -> Bool {
        try await redis.send(RedisCommand("ZSCORE", .string(QueueKeys(queue).revoked), .string(entry.compact))) != .null
    }

    /// The queue, of those given, in which somebody does not wait any more: they were let in, left or fell silent.
    package func queue(whereFinished entry: Identifier, among queues: [Identifier]) async throws(RedisError) -> Identifier? {
        for start in stride(from: 0, to: queues.count, by: 500) {
            let some = queues[start..<min(start + 500, queues.count)]
            let replies = try await redis.pipeline(
                some.map { RedisCommand("HEXISTS", .string(QueueKeys($0).entries), .string(entry.compact)) })
            for (queue, reply) in zip(some, replies) {
                let isThere = try reply.get().integer == 1
                if isThere { return queue }
            }
        }
        return nil
    }
}
