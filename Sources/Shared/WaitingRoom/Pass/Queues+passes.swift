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
            arguments: [.string(pass.entry.compact), .integer(Int64(seconds) * 1000), .integer(pass.issued.milliseconds)]
        ).integer
        return ends.flatMap { $0 > 0 ? Timestamp(milliseconds: $0) : nil }
    }

    /// Whether a pass was revoked.
    package func isRevoked(_ pass: Pass) async throws(RedisError) -> Bool {
        let revoked = try await redis.send(RedisCommand("ZSCORE", .string(QueueKeys(pass.queue).revoked), .string(pass.entry.compact)))
        return revoked.integer.map { $0 >= pass.issued.milliseconds } ?? false
    }

    /// The queue, of those given, that has let somebody in.
    package func queue(thatLetIn entry: Identifier, among queues: [Identifier]) async throws(RedisError) -> Identifier? {
        for start in stride(from: 0, to: queues.count, by: 500) {
            let some = queues[start..<min(start + 500, queues.count)]
            let replies = try await redis.pipeline(
                some.map { RedisCommand("HEXISTS", .string(QueueKeys($0).entries), .string(entry.compact)) })
            for (queue, reply) in zip(some, replies) {
                let isThere = try reply.get().integer == 1
                if isThere, try await status(of: entry, in: queue)?.state == .released { return queue }
            }
        }
        return nil
    }
}
