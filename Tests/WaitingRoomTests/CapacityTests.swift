import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("Capacity: sessions.lua, release-12.lua, renew-2.lua, revoke-2.lua")
struct CapacityTests {
    private static func with(_ most: Int, seconds: Int = 600, _ body: @Sendable @escaping (Line) async throws -> Void) async throws {
        try await Line.with(rate: 60_000) { queue in
            queue.maximumActive = most
            queue.sessionSeconds = seconds
        } _: { line in
            try await body(line)
        }
    }

    @Test("as many go in as there are places inside; who leaves makes room for one")
    func full() async throws {
        try await Self.with(3) { line in
            var joined: [Queues.Joined] = []
            for index in 0..<6 { joined.append(try await line.join("v\(index)")) }
            try await line.bucket(tokens: 100, seconds: 0)
            let first = try await line.queues.release(line.queue.id)
            #expect(first.people.map(\.entry) == joined[..<3].map(\.entry.id))
            #expect(first.active == 3 && first.stillWaiting == 3)
            // Nothing is due before the first session ends.
            let pause = try #require(first.nextToken)
            #expect(pause > .seconds(590) && pause <= .seconds(600))
            #expect(try await line.queues.release(line.queue.id).people.isEmpty)
            try await line.queues.revokePass(of: joined[1].entry.id, in: line.queue.id)
            let second = try await line.queues.release(line.queue.id)
            #expect(second.people.map(\.entry) == [joined[3].entry.id] && second.active == 3)
            // Ending a session twice frees one place.
            try await line.queues.revokePass(of: joined[1].entry.id, in: line.queue.id)
            #expect(try await line.queues.release(line.queue.id).people.isEmpty)
        }
    }

    @Test("a session ends by itself, unless it is renewed; one that was ended is not renewed")
    func life() async throws {
        try await Self.with(2, seconds: 2) { line in
            var joined: [Queues.Joined] = []
            for index in 0..<4 { joined.append(try await line.join("v\(index)")) }
            try await line.bucket(tokens: 100, seconds: 0)
            #expect(try await line.queues.release(line.queue.id).people.count == 2)
            func pass(_ index: Int) async throws -> Pass {
                let entry = try #require(try await line.status(joined[index]))
                return try #require(Pass(entry, of: line.queue))
            }
            let (kept, ended) = (try await pass(0), try await pass(1))
            #expect(try await line.queues.renewSession(of: kept, seconds: 100) != nil)
            try await line.queues.revokePass(of: ended.entry, in: line.queue.id)
            #expect(try await line.queues.renewSession(of: ended, seconds: 100) == nil)
            #expect(try await line.queues.release(line.queue.id).people.map(\.entry) == [joined[2].entry.id])
            try await Task.sleep(for: .milliseconds(2100))
            // The third's session is over, the first's is not.
            let last = try await line.queues.release(line.queue.id)
            #expect(last.people.map(\.entry) == [joined[3].entry.id] && last.active == 2)
            let figures = try #require(try await line.queues.figures(of: line.queue.id, waits: .thisHour))
            #expect(figures.active == 2)
        }
    }

    @Test("a pass that is told again lasts as long as the session does now, and there is none of a session that was ended")
    func toldAgain() async throws {
        try await Self.with(2, seconds: 100) { line in
            let joined = try await line.join()
            try await line.bucket(tokens: 100, seconds: 0)
            #expect(try await line.queues.release(line.queue.id).people.count == 1)
            func pass() async throws -> Pass? { try await line.status(joined).flatMap { Pass($0, of: line.queue) } }
            let first = try #require(try await pass())
            let ends = try #require(try await line.queues.renewSession(of: first, seconds: 5000))
            #expect(try await pass()?.expires == ends && ends > first.expires)
            try await line.queues.revokePass(of: joined.entry.id, in: line.queue.id)
            #expect(try await pass() == nil)
        }
    }

    @Test("a visitor whose entry was forgotten may get its id again: what was revoked then is another pass")
    func sameEntryAgain() async throws {
        try await Self.with(2) { line in
            func letIn() async throws -> Pass {
                let joined = try await line.join("regular", proof: true)
                try await line.bucket(tokens: 100, seconds: 0)
                #expect(try await line.queues.release(line.queue.id).people.count == 1)
                let entry = try #require(try await line.status(joined))
                return try #require(Pass(entry, of: line.queue))
            }
            let first = try await letIn()
            try await line.queues.revokePass(of: first.entry, in: line.queue.id)
            // A day later.
            for key in [line.keys.entries, line.keys.ready] { _ = try await line.redis.send(RedisCommand("DEL", .string(key))) }
            let then = first.issued.adding(seconds: -50_000).milliseconds
            _ = try await line.redis.send(
                RedisCommand("ZADD", .string(line.keys.revoked), .integer(then), .string(first.entry.compact)))
            let second = try await letIn()
            #expect(second.entry == first.entry)
            #expect(try await !line.queues.isRevoked(second))
            #expect(try await line.queues.renewSession(of: second, seconds: 600) != nil)
            let revocations = Revocations(redis: line.redis, passes: PassSigner(line.secret, issuer: "https://wait.example"))
            #expect(await !revocations.holds(second))
        }
    }

    @Test("many workers at once never fill more places than there are")
    func manyWorkers() async throws {
        try await Self.with(20) { line in
            for index in 0..<100 { try await line.join("v\(index)") }
            try await line.bucket(tokens: 1000, seconds: 0)
            let released = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<30 { group.addTask { try await line.queues.release(line.queue.id).people.count } }
                return try await group.reduce(0, +)
            }
            #expect(released == 20)
        }
    }

    @Test("a capacity that is set while people are inside counts them; let in by hand goes beyond it")
    func live() async throws {
        try await Line.with(rate: 120) { line in
            var joined: [Queues.Joined] = []
            for index in 0..<5 { joined.append(try await line.join("v\(index)")) }
            try await line.bucket(tokens: 2, seconds: 0)
            #expect(try await line.queues.release(line.queue.id).people.count == 2)
            var queue = line.queue
            queue.maximumActive = 2
            #expect(try await line.queues.update(queue, from: line.queue))
            try await line.bucket(tokens: 10, seconds: 0)
            #expect(try await line.queues.release(line.queue.id).people.isEmpty)
            #expect(try await line.queues.letIn(joined[4].entry.id, of: queue.id))
            #expect(try await line.queues.release(line.queue.id).active == 3)
        }
    }

    @Test("a session that Redis has lost lives on with its renewal, and with whoever is let in again")
    func loss() async throws {
        try await Self.with(1) { line in
            let joined = try await line.join("a")
            try await line.join("b")
            try await line.bucket(tokens: 10, seconds: 0)
            #expect(try await line.queues.release(line.queue.id).people.count == 1)
            let entry = try #require(try await line.status(joined))
            let pass = try #require(Pass(entry, of: line.queue))
            _ = try await line.redis.send(RedisCommand("DEL", .string(line.keys.sessions)))
            #expect(try await line.queues.renewSession(of: pass, seconds: 60) != nil)
            #expect(try await line.queues.release(line.queue.id).people.isEmpty)
        }
    }

    @Test("nobody is lent to gateways where who is inside counts")
    func lease() async throws {
        try await Line.with(rate: 600) { queue in
            queue.onOutage = .lease
            queue.maximumActive = 10
        } _: { line in
            for index in 0..<5 { try await line.join("v\(index)") }
            #expect(try await line.queues.lease(line.queue.id, life: .seconds(3)).1.isEmpty)
            var queue = line.queue
            queue.maximumActive = 0
            #expect(try await line.queues.update(queue, from: line.queue))
            #expect(try await line.queues.lease(line.queue.id, life: .seconds(3)).1.count == 5)
        }
    }
}
