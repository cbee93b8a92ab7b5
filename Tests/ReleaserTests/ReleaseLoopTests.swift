import Redis
import TestSupport
import Testing

@testable import Releaser
@testable import WaitingRoom

@Suite("ReleaseLoop: a queue of an application with a rate of its own")
struct ReleaseLoopTests {
    /// Runs `body` with the loop of a queue whose worker does nothing, so that each of its steps is the test's. Nobody waits in it.
    private static func with(_ body: @Sendable @escaping (Workplace, Queue, ReleaseLoop) async throws -> Void) async throws {
        try await Workplace.with { place in
            var tenant = place.tenant
            tenant.ratePerMinute = 6000
            #expect(try await place.tenants.update(tenant))
            let queue = try await place.queue(rate: 60_000)
            let other = QueueLocks(redis: place.redis, worker: "other", lifeMilliseconds: 600_000)
            #expect(try await other.share([QueueLocks.shard(of: queue.id): 1]).count == 1)
            try await place.withWorker(["LOCK_TTL_MS": "600000"]) { worker in
                try await eventually("it has begun") { worker.isWorking }
                let listed = ListedQueue(id: queue.id, tenant: queue.tenant, isServed: true)
                let loop = ReleaseLoop(worker: worker, queue: listed, metrics: worker.metrics.queue(queue.id), owed: Signal())
                try await body(place, queue, loop)
                #expect(worker.lookedAfter.isEmpty)
            }
        }
    }

    /// Sets how many tokens a bucket has, of which there will be no more by themselves.
    private static func set(_ tokens: Int64, in bucket: String, _ place: Workplace) async throws {
        _ = try await place.redis.send(
            RedisCommand("HSET", .string(bucket), "tokens", .integer(tokens), "at_us", "9000000000000000"))
    }

    @Test("what was granted and did not go is given back once, though the releases after it fail")
    func unused() async throws {
        try await Self.with { place, queue, loop in
            var loop = loop
            let rate = CatalogueKeys.rate(of: place.tenant.id)
            try await place.join(queue, people: 20)
            // The first step finds out that they wait; by the next one is granted, and the queue's own bucket is empty.
            _ = try await loop.step()
            try await Self.set(0, in: queue.keys.bucket, place)
            _ = try await loop.step()
            #expect(try await place.released(queue).isEmpty)
            _ = try await place.redis.send(RedisCommand("SET", .string(queue.keys.bucket), "not a bucket"))
            var givenBack: [Double] = []
            for _ in 0..<3 {
                try await Self.set(-1000, in: rate, place)
                await #expect(throws: RedisError.self) { _ = try await loop.step() }
                let tokens = try await place.redis.send(RedisCommand("HGET", .string(rate), "tokens")).string
                givenBack.append(try #require(tokens.flatMap(Double.init)) + 1000)
            }
            #expect(givenBack == [1, 0, 0])
        }
    }

    @Test("a line that is passed through no more keeps to the application's rate from then on, though the worker does not know yet")
    func noMorePassedThrough() async throws {
        try await Self.with { place, queue, loop in
            var loop = loop
            func set(state: RedisArgument) async throws {
                _ = try await place.redis.send(RedisCommand("HSET", .string(queue.keys.settings), "state", state))
            }
            try await set(state: "passthrough")
            // What is read of the settings now is believed for half a second.
            _ = try await loop.step()
            try await set(state: "open")
            try await Self.set(1000, in: queue.keys.bucket, place)
            try await place.join(queue, people: 50)
            _ = try await loop.step()
            #expect(try await place.released(queue).isEmpty)
        }
    }
}
