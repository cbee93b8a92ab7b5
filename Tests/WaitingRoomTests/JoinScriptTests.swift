import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("join-6.lua, enter-14.lua")
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

    @Test("a join repeated while SECRET_KEY is changed has one place, whichever key comes first in the gateway that is asked")
    func changedSecret() async throws {
        try await Line.with { line in
            let (old, new) = (String(repeating: "k", count: 32), String(repeating: "n", count: 32))
            let key = "0123456789abcdef"
            func join(_ secret: String) async throws -> Queues.Joined {
                var request = Queues.JoinRequest(queue: line.queue, visitor: "a")
                request.idempotencyKey = key
                let queues = Queues(redis: line.redis, secret: try #require(SecretKey(secret)))
                return try #require(try await queues.join(request))
            }
            let first = try await join(old)
            #expect(try await line.join("b").entry.position == 2)
            for secret in ["\(old),\(new)", "\(new),\(old)"] {
                let again = try await join(secret)
                #expect(!again.isNew)
                #expect(again.entry.id == first.entry.id)
            }

            // Let in and come again: the successor is found as well, and so is a place taken under the new key.
            #expect(try await line.queues.letIn(first.entry.id, of: line.queue.id))
            let second = try await join("\(new),\(old)")
            #expect(second.isNew)
            #expect(try await join("\(old),\(new)").entry.id == second.entry.id)
            #expect(try await join(old).entry.id == second.entry.id)
            // Without the old key nothing is known of it.
            #expect(try await join(new).isNew)
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

    private func newcomer(_ line: Line, _ visitor: String, key: String? = nil) -> Queues.JoinRequest {
        var request = Queues.JoinRequest(queue: line.queue, visitor: visitor)
        request.idempotencyKey = key
        return request
    }

    @Test("newcomers of one turn of an event loop go to Redis together, and get places in their order")
    func newcomers() async throws {
        try await Line.with { line in
            try await line.join("first")
            _ = try await line.redis.send(RedisCommand("CONFIG", "RESETSTAT"))
            let joined = try await line.joinAtOnce((0..<250).map { newcomer(line, "v\($0)") }).compactMap { $0 }
            #expect(joined.map(\.entry.sequence) == Array(2...251))
            #expect(joined.map(\.entry.position) == Array(2...251))
            #expect(joined.allSatisfy { $0.isNew })
            let statistics = try #require(try await line.redis.send(RedisCommand("INFO", "commandstats")).string)
            // A hundred a call, the first of which the server may not know.
            #expect(statistics.contains("cmdstat_evalsha:calls=3,"))
            for index in [0, 99, 100, 249] {
                let entry = try #require(try await line.status(joined[index]))
                #expect(entry.visitor == "v\(index)" && entry.position == index + 2 && entry.joined == joined[index].entry.joined)
            }
            let total = try await line.statistics()
            #expect(total.waiting == 251 && total.total.joined == 251 && total.days.values.map(\.joined) == [251])
        }
    }

    @Test("a newcomer who is known already, or comes twice at once, is left to the step that looks for their place")
    func knownNewcomers() async throws {
        try await Line.with { line in
            let (waiting, finished, twice) = ("0123456789abcdef", "1123456789abcdef", "2123456789abcdef")
            let place = try await line.join("w", key: waiting)
            #expect(try await line.queues.cancel(try line.ticket(try await line.join("f", key: finished))))
            let requests = [
                newcomer(line, "a"), newcomer(line, "w", key: waiting), newcomer(line, "t", key: twice), newcomer(line, "f", key: finished),
                newcomer(line, "t", key: twice), newcomer(line, "b"),
            ]
            let joined = try await line.joinAtOnce(requests)
            #expect(joined.map { $0?.entry.sequence } == [3, nil, 4, nil, nil, 5])
            #expect(joined.map { $0?.entry.position } == [2, nil, 3, nil, nil, 4])
            #expect(try await line.queues.join(requests[1])?.token == place.token)
            #expect(try await line.queues.join(requests[4])?.token == joined[2]?.token)
            #expect(try await line.queues.join(requests[3])?.isNew == true)
            #expect(try await line.joinAtOnce([requests[1]]).allSatisfy { $0 == nil })
            #expect(try await line.statistics().total.joined == 6)
        }
    }

    @Test("newcomers to a queue that is closed or deleted get no place, and a number that was given already tells of a loss")
    func refusedNewcomers() async throws {
        try await Line.with { line in
            try await line.join("first")
            line.queues.memory.saw(500, of: line.queue.id)
            let joined = try await line.joinAtOnce([newcomer(line, "a"), newcomer(line, "b")]).compactMap { $0?.entry.sequence }
            #expect(joined.count == 2 && joined[0] > 500 && joined[1] == joined[0] + 1)
            #expect(try await line.statistics().total.joined == 3)
            for (field, value) in [("state", "closed"), ("active", "0")] {
                _ = try await line.redis.send(RedisCommand("HSET", .string(line.keys.settings), .string(field), .string(value)))
                #expect(try await line.joinAtOnce([newcomer(line, "c")]).allSatisfy { $0 == nil })
            }
            #expect(try await line.statistics().total.joined == 3)
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
