import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("join-5.lua")
struct JoinScriptTests {
    @Test("people get places in the order in which they join")
    func order() async throws {
        try await Line.with { line in
            for position in 1...5 {
                let joined = try await line.join("v\(position)")
                #expect(joined.isNew)
                #expect(joined.entry.position == position)
                #expect(joined.entry.queueLength == position)
                #expect(joined.entry.sequence == Int64(position))
            }
        }
    }

    @Test("the same idempotency key gives the same place, also with another visitor id")
    func idempotencyKey() async throws {
        try await Line.with { line in
            let first = try await line.join("a", key: "0123456789abcdef")
            try await line.join("b")
            for visitor in ["a", "someone else"] {
                let again = try await line.join(visitor, key: "0123456789abcdef")
                #expect(!again.isNew)
                #expect(again.entry.id == first.entry.id)
                #expect(again.token == first.token)
                #expect(again.entry.position == 1)
            }
            #expect(try await line.statistics().waiting == 2)
        }
    }

    @Test("the entry's own token gives the same place; another's does not prove anything")
    func ownToken() async throws {
        try await Line.with { line in
            let first = try await line.join("a")
            let again = try await line.join("a", token: first.token)
            #expect(!again.isNew)
            #expect(again.token == first.token)
            let other = try await line.join("a")
            #expect(other.isNew)
            #expect(other.entry.position == 2)
        }
    }

    @Test("a visitor id that is a proof has one place; one that is not has many")
    func visitorAsProof() async throws {
        try await Line.with { line in
            let first = try await line.join("a", proof: true)
            #expect(try await line.join("a", proof: true).token == first.token)
            #expect(try await line.join("a").isNew)
        }
    }

    @Test("after release, expiry or cancel a join takes a new place at the end, and then keeps that one")
    func afterTheEnd() async throws {
        try await Line.with { line in
            var last = try await line.join("a", key: "0123456789abcdef")
            try await line.join("b")
            for _ in 1...3 {
                #expect(try await line.queues.cancel(try line.ticket(last)))
                let next = try await line.join("a", key: "0123456789abcdef")
                #expect(next.isNew)
                #expect(next.entry.id != last.entry.id)
                #expect(next.entry.position == 2)
                let repeated = try await line.join("a", key: "0123456789abcdef")
                #expect(repeated.token == next.token)
                last = next
            }
        }
    }

    @Test("many callers at once with one key get one place")
    func concurrentRepeats() async throws {
        try await Line.with { line in
            let tokens = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<64 { group.addTask { try await line.join("a", key: "0123456789abcdef").token } }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(tokens.count == 1)
            #expect(try await line.statistics().waiting == 1)
        }
    }

    @Test("many callers at once get different places, without gaps")
    func concurrentJoins() async throws {
        try await Line.with { line in
            let sequences = try await withThrowingTaskGroup(of: Int64.self) { group in
                for index in 0..<200 { group.addTask { try await line.join("v\(index)").entry.sequence } }
                return try await group.reduce(into: Set<Int64>()) { $0.insert($1) }
            }
            #expect(sequences == Set(1...200))
        }
    }

    @Test("nobody joins a queue that is deleted, switched off or was never made")
    func closedQueue() async throws {
        try await Line.with { line in
            var off = line.queue
            off.isActive = false
            #expect(try await line.queues.update(off))
            #expect(try await line.queues.join(.init(queue: line.queue, visitor: "a")) == nil)
            #expect(try await line.queues.update(line.queue))
            try await line.join()
            #expect(try await line.queues.delete(line.queue.id, retentionHours: 24))
            #expect(try await line.queues.join(.init(queue: line.queue, visitor: "a")) == nil)
            let unknown = try #require(Queue(id: .random(), fields: ["tenant": line.tenant.id.compact, "slug": "s", "name": "n"]))
            #expect(try await line.queues.join(.init(queue: unknown, visitor: "a")) == nil)
        }
    }

    @Test("visitor ids come back byte for byte", arguments: ["a b", "é", "e\u{301}", "日本語", "1 2 3 -", "\"\\'", "👩‍👩‍👧‍👦"])
    func visitorIDs(visitor: String) async throws {
        try await Line.with { line in
            let joined = try await line.join(visitor)
            let entry = try #require(try await line.status(joined))
            #expect(Array(entry.visitor.utf8) == Array(visitor.utf8))
            try await line.releaseOne()
            let released = try #require(try await line.status(joined))
            #expect(released.state == .released)
            #expect(Array(released.visitor.utf8) == Array(visitor.utf8))
        }
    }

    @Test("full memory refuses a join and stores nothing of it")
    func fullMemory() async throws {
        try await Line.with { line in
            try await line.join()
            _ = try await line.redis.send(RedisCommand("CONFIG", "SET", "maxmemory", "1mb"))
            await #expect(throws: RedisError.self) { try await line.join("late") }
            _ = try await line.redis.send(RedisCommand("CONFIG", "SET", "maxmemory", "0"))
            #expect(try await line.statistics().waiting == 1)
            #expect(try await line.statistics().total.joined == 1)
        }
    }
}
