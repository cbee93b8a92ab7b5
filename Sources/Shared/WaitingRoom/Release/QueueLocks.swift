package import Redis

/// The locks by which workers share the queues out. They only keep two workers from doing the same work: no promise rests on them, since
/// each step is safe under any number of callers.
package struct QueueLocks: Sendable {
    package enum Claim: Sendable, Equatable {
        /// The worker had the lock and keeps it.
        case kept
        /// The worker took it now, from nobody or from one who lost it.
        case taken
        /// Another worker has it.
        case held
    }

    private let redis: RedisClient
    package let worker: String
    package let lifeMilliseconds: Int

    /// - Parameters:
    ///   - worker: a name of this process that no other has.
    ///   - lifeMilliseconds: how long a lock lives without being renewed (`LOCK_TTL_MS`).
    package init(redis: RedisClient, worker: String, lifeMilliseconds: Int) {
        self.redis = redis
        self.worker = worker
        self.lifeMilliseconds = lifeMilliseconds
    }

    /// Takes or renews the lock on a queue (`claim_lock-1.lua`).
    /// - Throws: ``RedisError``; with the server's code `OOM` no lock can be set, and the work must go on without.
    package func claim(_ queue: Identifier) async throws(RedisError) -> Claim {
        let reply = try await redis.evaluate(
            Scripts.claimLock, keys: [QueueKeys(queue).lock], arguments: [.string(worker), .integer(Int64(lifeMilliseconds))])
        switch reply.integer {
        case 1: return .kept
        case 2: return .taken
        default: return .held
        }
    }

    /// Gives a lock back, if it is still this worker's (`free_lock-1.lua`).
    package func free(_ queue: Identifier) async throws(RedisError) {
        _ = try await redis.evaluate(Scripts.freeLock, keys: [QueueKeys(queue).lock], arguments: [.string(worker)])
    }

    /// Notes that this worker is alive (`beat-1.lua`).
    /// - Returns: how many are, this one included.
    package func beat() async throws(RedisError) -> Int {
        let reply = try await redis.evaluate(
            Scripts.beat, keys: [CatalogueKeys.workers], arguments: [.string(worker), .integer(Int64(lifeMilliseconds))])
        return max(1, Int(reply.integer ?? 1))
    }

    /// Whether this worker is the first by name of those alive: the one that does what needs to be done by one only.
    package func isFirst() async throws(RedisError) -> Bool {
        let living = try await redis.send(RedisCommand("ZRANGE", .string(CatalogueKeys.workers), 0, -1))
        return (living.array ?? []).compactMap(\.string).min() == worker
    }

    /// Takes this worker off the list of the living, so that the others take its share at once.
    package func leave() async throws(RedisError) {
        _ = try await redis.send(RedisCommand("ZREM", .string(CatalogueKeys.workers), .string(worker)))
    }

    /// How many workers have given a sign of life within `seconds`.
    package static func alive(redis: RedisClient, seconds: Int) async throws(RedisError) -> Int {
        let since = Timestamp.now().milliseconds - Int64(seconds) * 1000
        let reply = try await redis.send(RedisCommand("ZCOUNT", .string(CatalogueKeys.workers), .integer(since), "+inf"))
        return Int(reply.integer ?? 0)
    }
}
