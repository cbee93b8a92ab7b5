import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("apportion-1.lua: an application's own rate")
struct ApportionTests {
    /// Two more queues beside the line's own.
    private static func queues(_ line: Line, _ settings: [(priority: Int, rate: Double)]) async throws -> [Queue] {
        var queues: [Queue] = []
        for (priority, rate) in settings {
            let made = try await line.queues.create(tenant: line.tenant.id, name: "Drop") {
                $0.priority = priority
                $0.ratePerMinute = rate
            }
            queues.append(try #require(made))
        }
        return queues
    }

    private static func parts(_ line: Line, of total: Double, _ queues: [Queue], wanted: Int = 5) async throws -> [Double] {
        // The first round tells all of all.
        for queue in queues { _ = try await line.queues.apportion(total, to: queue, wanted: wanted, unused: 0) }
        var parts: [Double] = []
        for queue in queues { parts.append(try await line.queues.apportion(total, to: queue, wanted: wanted, unused: 0).ratePerMinute) }
        return parts
    }

    @Test("those in which people wait share it by priority; none gets more than its own rate, and what it leaves is the others'")
    func shares() async throws {
        try await Line.with { line in
            let queues = try await Self.queues(line, [(1, 1000), (2, 1000), (3, 1000)])
            #expect(try await Self.parts(line, of: 600, queues) == [100, 200, 300])
            let capped = try await Self.queues(line, [(1, 1000), (2, 30), (3, 1000)])
            for queue in queues { _ = try await line.queues.apportion(600, to: queue, wanted: 0, unused: 0) }
            #expect(try await Self.parts(line, of: 600, capped) == [142.5, 30, 427.5])
            for queue in capped.dropFirst() { _ = try await line.queues.apportion(600, to: queue, wanted: 0, unused: 0) }
            #expect(try await Self.parts(line, of: 600, [capped[0]]) == [600])
            #expect(try await Self.parts(line, of: 6000, [capped[0]]) == [1000])
        }
    }

    @Test("together no more go than the rate and a second's worth, whoever asks, however often, with a caller lost in between")
    func bound() async throws {
        try await Line.with { line in
            let queues = try await Self.queues(line, [(1, 60_000), (1, 60_000), (10, 60_000)])
            let began = ContinuousClock.now
            let granted = try await withThrowingTaskGroup(of: Int.self) { group in
                for queue in queues {
                    for _ in 0..<4 {
                        group.addTask {
                            var granted = 0
                            for _ in 0..<60 {
                                granted += try await line.queues.apportion(1200, to: queue, wanted: 50, unused: 0).granted
                                try await Task.sleep(for: .milliseconds(5))
                            }
                            return granted
                        }
                    }
                }
                return try await group.reduce(0, +)
            }
            let seconds = began.duration(to: .now) / .seconds(1)
            #expect(Double(granted) <= 20 * seconds + 20)
            #expect(Double(granted) >= 20 * seconds * 0.9 - 1)
        }
    }

    @Test("what was granted and not used is there again; a queue that asks no more loses its part")
    func unused() async throws {
        try await Line.with { line in
            let queues = try await Self.queues(line, [(1, 6000), (1, 6000)])
            let first = try await line.queues.apportion(60, to: queues[0], wanted: 5, unused: 0)
            #expect(first.granted == 1)
            let none = try await line.queues.apportion(60, to: queues[0], wanted: 5, unused: 0)
            #expect(none.granted == 0 && none.next > .milliseconds(900))
            #expect(try await line.queues.apportion(60, to: queues[0], wanted: 5, unused: 1).granted == 1)
            #expect(try await Self.parts(line, of: 60, queues) == [30, 30])
            try await Task.sleep(for: .milliseconds(2100))
            #expect(try await line.queues.apportion(60, to: queues[1], wanted: 5, unused: 0).ratePerMinute == 60)
        }
    }

    @Test("a release lets in no more than its part grants, and the forecast rests on it")
    func release() async throws {
        try await Line.with(rate: 6000) { line in
            for index in 0..<10 { try await line.join("v\(index)") }
            try await line.bucket(tokens: 10, seconds: 0)
            let part = RatePart(granted: 3, next: .milliseconds(700), ratePerMinute: 30)
            let release = try await line.queues.release(line.queue.id, part: part)
            #expect(release.people.count == 3)
            #expect(try #require(release.nextToken) >= .milliseconds(700))
            let views = QueueViews(queues: line.queues)
            try await views.fetch(line.queue)
            let forecast = Forecast(RememberedQueue(line.queue), views.current(line.queue))
            #expect(forecast.releasesPerSecond == 0.5)
        }
    }

    @Test("a line that is passed through needs no grant")
    func passthrough() async throws {
        try await Line.with(rate: 60) { line in
            for index in 0..<10 { try await line.join("v\(index)") }
            _ = try await line.redis.send(RedisCommand("HSET", .string(line.keys.settings), "state", "passthrough"))
            let release = try await line.queues.release(line.queue.id, part: .nothing(of: 60))
            #expect(release.people.count == 10)
            // Nobody's part is told as the pace of this line.
            let flow = try await line.redis.send(RedisCommand("HGET", .string(line.keys.counters), "flow")).string
            #expect(try #require(flow).hasSuffix(" -"))
        }
    }
}
