import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("enter-14.lua: passthrough and threshold")
struct EnterScriptTests {
    private static func with(
        rate: Double = 60, _ change: @Sendable @escaping (inout Queue) -> Void, _ body: @Sendable @escaping (Line) async throws -> Void
    ) async throws {
        try await Line.with(rate: rate, change: change, body)
    }

    @Test("passed through, everybody goes in as they join: each once, counted, owed a callback, with a session")
    func passthrough() async throws {
        try await Self.with(rate: 0) {
            $0.state = .passthrough
            $0.maximumActive = 1
        } _: { line in
            for index in 0..<20 {
                let joined = try await line.join("v\(index)")
                #expect(joined.isNew && joined.wentIn && joined.entry.position == 0)
                #expect(try await line.status(joined)?.state == .released)
            }
            let statistics = try await line.statistics()
            #expect(statistics.waiting == 0 && statistics.total.joined == 20 && statistics.total.released == 20)
            #expect(try await line.redis.send(RedisCommand("ZCARD", .string(line.keys.outbox))).integer == 20)
            #expect(try await line.redis.send(RedisCommand("ZCARD", .string(line.keys.sessions))).integer == 20)
            #expect(try await line.redis.send(RedisCommand("XLEN", .string(line.keys.visitors))).integer == 0)
        }
    }

    @Test("nobody slips past a line: it goes out first, however many join meanwhile")
    func behindALine() async throws {
        try await Self.with(rate: 1) { _ in
        } _: { line in
            var waiting: [Identifier] = []
            for index in 0..<300 { waiting.append(try await line.join("v\(index)").entry.id) }
            var queue = line.queue
            queue.state = .passthrough
            #expect(try await line.queues.update(queue, from: line.queue))
            // Whether the caller has heard of it already or not.
            for known in [line.queue, queue] {
                let late = try #require(try await line.queues.join(.init(queue: known, visitor: "late")))
                #expect(late.entry.state == .waiting)
                waiting.append(late.entry.id)
            }
            var released: [Identifier] = []
            for _ in 0..<2 { released += try await line.queues.release(queue.id).people.map(\.entry) }
            #expect(released == waiting)
            let next = try #require(try await line.queues.join(.init(queue: line.queue, visitor: "next")))
            #expect(next.wentIn)
        }
    }

    @Test("below the threshold people go in at once, within rate and capacity; beyond it a line forms, and nobody slips past it")
    func threshold() async throws {
        try await Self.with(rate: 600) {
            $0.activation = .threshold
            $0.maximumActive = 5
        } _: { line in
            try await line.bucket(tokens: 8, seconds: 0)
            var joined: [Queues.Joined] = []
            for index in 0..<7 { joined.append(try await line.join("v\(index)")) }
            #expect(joined.map(\.wentIn) == [true, true, true, true, true, false, false])
            #expect(joined[5].entry.position == 1 && joined[6].entry.position == 2)
            // There is room again, but somebody waits.
            try await line.queues.revokePass(of: joined[0].entry.id, in: line.queue.id)
            #expect(try await line.join("late").entry.position == 3)
            #expect(try await line.queues.release(line.queue.id).people.map(\.entry) == [joined[5].entry.id])
        }
    }

    @Test("below the threshold no more go in at once than the bucket holds, whoever asks")
    func thresholdRate() async throws {
        try await Self.with(rate: 600) {
            $0.activation = .threshold
        } _: { line in
            try await line.bucket(tokens: 0, seconds: 60)
            let joined = try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 0..<60 { group.addTask { try await line.join("v\(index)").wentIn } }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            // A second's worth is ten; the joins themselves take a moment.
            #expect(joined >= 10 && joined <= 14)
            #expect(try await line.statistics().waiting == 60 - joined)
        }
    }

    @Test("who has gone in and joins again with the same proof, or their ticket, is told so, and takes no second place inside")
    func again() async throws {
        try await Self.with {
            $0.state = .passthrough
        } _: { line in
            let first = try await line.join("a", key: "1")
            for again in [try await line.join("a", key: "1"), try await line.join("a", token: first.token)] {
                #expect(again.entry.id == first.entry.id && !again.isNew && again.entry.finished == first.entry.finished)
            }
            #expect(try await line.statistics().total.joined == 1)
            try await line.queues.revokePass(of: first.entry.id, in: line.queue.id)
            let second = try await line.join("a", key: "1")
            #expect(second.wentIn && second.entry.id != first.entry.id)
            #expect(try await line.join("a", key: "1").entry.id == second.entry.id)
        }
    }

    @Test("joins that come at once are each let in, also those whose gateway has not heard of it")
    func atOnce() async throws {
        try await Self.with {
            $0.state = .passthrough
        } _: { line in
            var before = line.queue
            before.state = .open
            let joined = try await line.joinAtOnce((0..<50).map { Queues.JoinRequest(queue: before, visitor: "v\($0)") })
            // The script for many leaves them to the one that can.
            #expect(joined.allSatisfy { $0 == nil })
            let known = try await line.joinAtOnce((0..<50).map { Queues.JoinRequest(queue: line.queue, visitor: "v\($0)") })
            #expect(known.allSatisfy { $0?.wentIn == true })
        }
    }

    @Test("paused, closed or after a loss nobody goes in at once")
    func held() async throws {
        try await Self.with(rate: 6000) {
            $0.activation = .threshold
        } _: { line in
            var queue = line.queue
            queue.state = .paused
            #expect(try await line.queues.update(queue, from: line.queue))
            #expect(try await line.join("a").entry.state == .waiting)
            queue.state = .closed
            #expect(try await line.queues.update(queue, from: line.queue))
            let closed = try await line.queues.join(.init(queue: queue, visitor: "c"))
            #expect(closed == nil)
        }
        try await Self.with {
            $0.state = .passthrough
        } _: { line in
            _ = try await line.redis.send(
                RedisCommand("HSET", .string(line.keys.counters), "lost_at", .integer(Timestamp.now().milliseconds)))
            #expect(try await line.join("a").entry.state == .waiting)
        }
    }
}
