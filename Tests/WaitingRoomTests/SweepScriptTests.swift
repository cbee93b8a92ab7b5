import Logging
import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("touch-2.lua, sweep-15.lua")
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
            _ = try await line.redis.evaluate(
                Scripts.touch, keys: [line.keys.waiting, line.keys.counters],
                arguments: [0] + [people[1], people[4]].map { .string($0.entry.id.compact) })
            #expect(try await sweep(line) == Sweep(cursor: 0, expired: 3, forgotten: 0, transfers: 0))
            #expect(try await line.queues.list(line.queue.id, states: [.waiting], skip: 0, limit: 9).map(\.visitor) == ["v1", "v4"])
            #expect(try #require(try await line.status(people[0])).state == .expired)
            #expect(try await line.statistics().total.expired == 3)
        }
    }

    @Test("the first sweep gives nobody up: until then nobody watched, and the clock may have been set since they joined")
    func firstSweep() async throws {
        try await Line.with { line in
            let joined = try await line.join("v")
            try await line.silence(joined, seconds: 3600)
            _ = try await line.redis.send(RedisCommand("HDEL", .string(line.keys.counters), "swept_at"))
            for _ in 0..<2 { #expect(try await sweep(line).expired == 0) }
        }
    }

    @Test("nobody is given up before the whole time has passed")
    func notTooEarly() async throws {
        try await Line.with(change: { $0.waitTTLSeconds = 60 }) { line in
            let joined = try await line.join()
            // The latest sign of life may be 8 s later than the noted one; the rest is for a slow machine.
            try await line.silence(joined, seconds: 62)
            #expect(try await sweep(line).expired == 0)
            try await line.silence(joined, seconds: 70)
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

    @Test("who was silent for a day is given up; nobody is whose sign of life lies in the future, since the clock was set back")
    func longSilence() async throws {
        try await Line.with(change: { $0.waitTTLSeconds = 60 }) { line in
            let joined = try await line.join()
            try await line.silence(joined, seconds: -3600)
            #expect(try await sweep(line).expired == 0)
            // Set back by more: who is there has time to say so.
            try await line.silence(joined, seconds: -30_000)
            let now = try #require(try await line.redis.send(RedisCommand("TIME")).array?.first?.integer)
            _ = try await line.redis.send(RedisCommand("HSET", .string(line.keys.counters), "swept_at", .integer(now + 30_000)))
            for _ in 0..<2 { #expect(try await sweep(line).expired == 0) }
            try await line.silence(joined, seconds: 86_400)
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
            // Of the 500 that a step looks at, the second ends with the hundredth who is given up, and so does the third.
            #expect(steps == 4)
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
            // A ticket is never younger than this when its entry is forgotten.
            let ticket = try line.ticket(old)
            let aged = Ticket(
                queue: ticket.queue, entry: ticket.entry, sequence: ticket.sequence,
                joined: ticket.joined.adding(milliseconds: -24 * 3_600_000), epoch: ticket.epoch, visitor: ticket.visitor)
            #expect(try await line.queues.status(aged) == nil)
            #expect(try await line.status(recent) != nil)
        }
    }

    @Test("silence counts while a gateway is there to be polled, or where there never was one")
    func gateways() async throws {
        try await Line.with { line in
            let gateways = RedisArgument.string(CatalogueKeys.gateways)
            #expect(try await SignsOfLife.areNoted(in: line.redis))
            await SignsOfLife(queues: line.queues, views: QueueViews(queues: line.queues), logger: .init(label: "test")).beat()
            #expect(try await SignsOfLife.areNoted(in: line.redis))
            let name = try #require(try await line.redis.send(RedisCommand("ZRANGE", gateways, 0, 0)).array?.first?.string)
            _ = try await line.redis.send(RedisCommand("ZINCRBY", gateways, -5000, .string(name)))
            #expect(try await SignsOfLife.areNoted(in: line.redis) == false)
        }
    }

    @Test("somebody whose callback is still owed is not forgotten before it is settled")
    func owed() async throws {
        try await Line.with { line in
            let joined = try await line.join()
            try await line.releaseOne()
            _ = try await line.redis.send(RedisCommand("ZADD", .string(line.keys.ready), "1000", .string(joined.entry.id.compact)))
            #expect(try await sweep(line).forgotten == 0)
            let callback = try #require(
                try await line.callbacks.claim(line.queue.id, limit: 1, lease: .seconds(60)).callbacks.first)
            #expect(try await line.callbacks.settle(callback, tenant: line.tenant.id, .delivered(status: 200)))
            #expect(try await line.redis.send(RedisCommand("DEL", .string(line.keys.sessions))).integer == 1)
            #expect(try await sweep(line).forgotten == 1)
        }
    }

    @Test("somebody who is inside still is not forgotten before their session has ended, and those behind them are")
    func inside() async throws {
        try await Line.with { line in
            // More than a step looks at.
            let (first, last) = (Queues.sweepBatch, Queues.sweepBatch + 20)
            let ids = (1...last).map { _ in Identifier.random() }
            for start in stride(from: 0, to: last, by: 65) {
                let some = ids[start..<start + 65]
                let ready = some.enumerated().flatMap {
                    [RedisArgument.integer(Int64(start + $0.offset + 1)), .string($0.element.compact)]
                }
                _ = try await line.redis.send(RedisCommand("ZADD", arguments: [.string(line.keys.ready)] + ready))
            }
            let future = RedisArgument.integer(Timestamp.now().milliseconds + 3_600_000)
            func stay(until time: RedisArgument) async throws {
                for start in stride(from: 0, to: first, by: 50) {
                    let inside = ids[start..<start + 50].flatMap { [time, .string($0.compact)] }
                    _ = try await line.redis.send(RedisCommand("ZADD", arguments: [.string(line.keys.sessions)] + inside))
                }
            }
            try await stay(until: future)
            let step = try await sweep(line)
            #expect(step.forgotten == 0 && step.finishedCursor > 0)
            let next = try await line.queues.sweep(line.queue, cursor: nil, finishedCursor: step.finishedCursor, retentionHours: 24)
            #expect(next.forgotten == 20 && next.finishedCursor == 0)
            try await stay(until: 1000)
            #expect(try await sweep(line).forgotten == first)
        }
    }

    @Test("signs of life are collected and written together; those that cannot be written are kept")
    func signsOfLife() async throws {
        try await withRedis(patience: .milliseconds(500)) { server, redis in
            let line = try await Line(redis: redis)
            let joined = try await line.join()
            try await line.silence(joined, seconds: 500)
            let queues = Queues(redis: redis, secret: SecretKey(String(repeating: "s", count: 40))!)
            let signs = SignsOfLife(queues: queues, views: QueueViews(queues: queues), logger: .init(label: "test"))
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
