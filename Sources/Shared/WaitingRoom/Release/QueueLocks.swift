package import Redis

/// The locks by which workers share the queues out: one for each shard of them, so that a worker holds its queues by a single command
/// however many there are. They only keep two workers from doing the same work: no promise rests on them, since each step is safe under any
/// number of callers.
package struct QueueLocks: Sendable {
    /// The most shards taken from another worker at once, so that the script does not run long.
    private static let mostTaken = 32

    private let redis: RedisClient
    package let worker: String
    package let lifeMilliseconds: Int

    /// - Parameters:
    ///   - worker: a name of this process that no other has.
    ///   - lifeMilliseconds: how long a lock lives without a sign of life of its worker (`LOCK_TTL_MS`).
    package init(redis: RedisClient, worker: String, lifeMilliseconds: Int) {
        self.redis = redis
        self.worker = worker
        self.lifeMilliseconds = lifeMilliseconds
    }

    /// The shard that a queue is in: the first byte of its id, which is random.
    package static func shard(of queue: Identifier) -> UInt8 { UInt8(queue.high >> 56) }

    /// The name of a shard in Redis: the first two digits of the ids in it.
    package static func name(of shard: UInt8) -> String { (shard < 16 ? "0" : "") + String(shard, radix: 16) }

    /// How often ``share(_:)`` is to be called.
    package var interval: Duration { .milliseconds(intervalMilliseconds) }

    private var intervalMilliseconds: Int { min(500, lifeMilliseconds / 8) }

    /// Notes that this worker is alive, and takes locks until it has its share of the queues (`share-2.lua`). Others have them when a
    /// worker has died before its locks' life is over, since one interval of that is left for finding out.
    /// - Parameter sizes: how many queues there are in each shard that has any.
    /// - Returns: the shards that are this worker's now.
    package func share(_ sizes: [UInt8: Int]) async throws(RedisError) -> Set<UInt8> {
        let reply = try await redis.evaluate(
            Scripts.share, keys: [CatalogueKeys.workers, CatalogueKeys.shares],
            arguments: [
                .string(worker), .integer(Int64(lifeMilliseconds - intervalMilliseconds)), .integer(Int64(Self.mostTaken)),
            ] + sizes.flatMap { [.string(Self.name(of: $0)), .integer(Int64($1))] })
        return Set((reply.array ?? []).compactMap { $0.string.flatMap { UInt8($0, radix: 16) } })
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

    /// Takes this worker off the list of the living, so that its locks are free at once.
    package func leave() async throws(RedisError) {
        _ = try await redis.send(RedisCommand("ZREM", .string(CatalogueKeys.workers), .string(worker)))
    }

    /// How many workers have given a sign of life within `seconds`, by Redis's clock.
    package static func alive(redis: RedisClient, seconds: Int) async throws(RedisError) -> Int {
        let clock = try await redis.send(RedisCommand("TIME"), near: CatalogueKeys.workers)
        let since = ((clock.array?.first?.integer ?? 0) - Int64(seconds)) * 1000
        let reply = try await redis.send(RedisCommand("ZCOUNT", .string(CatalogueKeys.workers), .integer(since), "+inf"))
        return Int(reply.integer ?? 0)
    }
}
