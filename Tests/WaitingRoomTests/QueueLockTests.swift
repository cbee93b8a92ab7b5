import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("claim_lock-1.lua, free_lock-1.lua, beat-1.lua")
struct QueueLockTests {
    private func locks(_ line: Line, _ worker: String, life: Int = 60_000) -> QueueLocks {
        QueueLocks(redis: line.redis, worker: worker, lifeMilliseconds: life)
    }

    @Test("one worker at a time has a queue, and keeps it as long as it renews")
    func exclusive() async throws {
        try await Line.with { line in
            let (a, b) = (locks(line, "a"), locks(line, "b"))
            #expect(try await a.claim(line.queue.id) == .taken)
            #expect(try await a.claim(line.queue.id) == .kept)
            #expect(try await b.claim(line.queue.id) == .held)
            try await b.free(line.queue.id)
            #expect(try await b.claim(line.queue.id) == .held)
            try await a.free(line.queue.id)
            #expect(try await b.claim(line.queue.id) == .taken)
        }
    }

    @Test("the lock of a dead worker is free after its life")
    func expires() async throws {
        try await Line.with { line in
            let dead = locks(line, "a", life: 100)
            #expect(try await dead.claim(line.queue.id) == .taken)
            try await eventually("the lock is free") { try await locks(line, "b", life: 100).claim(line.queue.id) == .taken }
        }
    }

    @Test("a lock that would live longer than its configured life is taken over: the clock went back")
    func tooLong() async throws {
        try await Line.with { line in
            let (long, short) = (locks(line, "a", life: 60_000), locks(line, "b", life: 2000))
            let claims = [try await long.claim(line.queue.id), try await short.claim(line.queue.id)]
            #expect(claims == [.taken, .taken])
        }
    }

    @Test("workers count each other, and forget those that fell silent or left")
    func beat() async throws {
        try await Line.with { line in
            let (a, b) = (locks(line, "a"), locks(line, "b"))
            #expect(try await a.beat() == 1)
            #expect(try await b.beat() == 2)
            try await b.leave()
            #expect(try await a.beat() == 1)
            _ = try await line.redis.send(RedisCommand("ZADD", .string(CatalogueKeys.workers), "1000", "long gone"))
            #expect(try await a.beat() == 1)
            #expect(try await QueueLocks.alive(redis: line.redis, seconds: 10) == 1)
        }
    }

    @Test("one of the workers alive is the first, by name")
    func first() async throws {
        try await Line.with { line in
            let (a, b) = (locks(line, "a"), locks(line, "b"))
            #expect(try await a.isFirst() == false)
            for worker in [b, a] { _ = try await worker.beat() }
            let isFirst = [try await a.isFirst(), try await b.isFirst()]
            #expect(isFirst == [true, false])
            try await a.leave()
            #expect(try await b.isFirst())
        }
    }
}
