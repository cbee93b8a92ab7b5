import Logging
import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("touch-1.lua, sweep-12.lua")
struct SweepScriptTests {
    private func sweep(_ line: Line, cursor: Int64 = 0) async throws -> Sweep {
        try await line.queues.sweep(line.queue, cursor: cursor, retentionHours: 24)
    }

    @Test("the silent are given up, those who polled are not, and the order stays")
    func silence() async throws {
        try await Line.with(change: { $0.waitTTLSeconds = 60 }) { line in
            var people: [Queues.Joined] = []
            for index in 0..<5 { people.append(try await line.join("v\(index)")) }
            for joined in people { try await line.silence(joined, seconds: 100) }
            let touched = try await line.redis.evaluate(
                Scripts.touch, keys: [line.keys.waiting], arguments: [people[1], people[4]].map { .string($0.entry.id.compact) })
            #expect(touched.integer == 2)
            #expect(try await sweep(line) == Sweep(cursor: 0, expired: 3, forgotten: 0, transfers: 0))
            #expect(try await line.queues.list(line.queue.id, states: [.waiting], skip: 0, limit: 9).map(\.visitor) == ["v1", "v4"])
            #expect(try #require(try await line.status(people[0])).state == .expired)
            #expect(try await line.statistics().total.expired == 3)
        }
    }

    @Test("nobody is given up before the whole time has passed")
    func notTooEarly() async throws {
        try await Line.with(change: { $0.waitTTLSeconds = 60 }) { line in
            let joined = try await line.join()
            try await line.silence(joined, seconds: 60)
            #expect(try await sweep(line).expired == 0)
            try await line.silence(joined, seconds: 62)
            #expect(try await sweep(line).expired == 1)
        }
    }

    @Test("a time of 0 never gives anybody up")
    func never() async throws {
        try await Line.with(change: { $0.waitTTLSeconds = 0 }) { line in
            let joined = try await line.join()
            try await line.silence(joined, seconds: 50_000)
            #expect(try await sweep(line).expired == 0)
        }
    }

    @Test("after an outage, when nobody's polls could be noted, all are given one whole time more")
    func outage() async throws {
        try await Line.with(change: { $0.waitTTLSeconds = 60 }) { line in
            let joined = try await line.join()
            try await line.silence(joined, seconds: 3600)
            let now = try #require(try await line.redis.send(RedisCommand("TIME")).array?.first?.integer)
            _ = try await line.redis.send(
                RedisCommand("HSET", .string(line.keys.counters), "swept_at", .integer(now - 3600)))
            #expect(try await sweep(line).expired == 0)
            #expect(try await sweep(line).expired == 0)
            _ = try await line.redis.send(RedisCommand("HSET", .string(line.keys.counters), "spared_until", .integer(now - 1)))
            #expect(try await sweep(line).expired == 1)
        }
    }

    @Test("a long line is swept in bounded steps")
    func steps() async throws {
        try await Line.with(change: { $0.waitTTLSeconds = 60 }) { line in
            var people: [Queues.Joined] = []
            for index in 0..<1200 { people.append(try await line.join("v\(index)")) }
            for joined in people.suffix(300) { try await line.silence(joined, seconds: 100) }
            var cursor: Int64 = 0
            var (steps, expired) = (0, 0)
            repeat {
                let step = try await sweep(line, cursor: cursor)
                (cursor, steps, expired) = (step.cursor, steps + 1, expired + step.expired)
            } while cursor != 0
            #expect(expired == 300)
            #expect(steps == 3)
        }
    }

    @Test("finished people are forgotten after the retention time, and their ticket then tells nothing")
    func retention() async throws {
        try await Line.with { line in
            let old = try await line.join("old")
            let recent = try await line.join("recent")
            for joined in [old, recent] { #expect(try await line.queues.cancel(try line.ticket(joined))) }
            _ = try await line.redis.send(RedisCommand("ZADD", .string(line.keys.rejected), "1000", .string(old.entry.id.compact)))
            #expect(try await sweep(line).forgotten == 1)
            #expect(try await line.status(old) == nil)
            #expect(try await line.status(recent) != nil)
        }
    }

    @Test("signs of life are collected and written together; those that cannot be written are kept")
    func signsOfLife() async throws {
        try await withRedis(patience: .milliseconds(500)) { server, redis in
            let line = try await Line(redis: redis)
            let joined = try await line.join()
            try await line.silence(joined, seconds: 500)
            let signs = SignsOfLife(redis: redis, logger: .init(label: "test"))
            signs.note(try line.ticket(joined))
            server.signal(19)
            await signs.write()
            server.signal(18)
            try await eventually("the sign is written") {
                await signs.write()
                guard let seen = try? await line.status(joined)?.lastSeen else { return false }
                return Timestamp.now().milliseconds - seen.milliseconds < 10_000
            }
        }
    }
}
