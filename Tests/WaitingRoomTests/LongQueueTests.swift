import Foundation
import Redis
import TestSupport
import Testing

@testable import WaitingRoom

/// What is done in a queue costs the same however many wait: whatever needs many people takes some at a time. With `SOAK=1` a million wait,
/// and no script takes 5 ms of Redis's processor.
@Suite("Long queues", .serialized)
struct LongQueueTests {
    private static let isLong = ProcessInfo.processInfo.environment["SOAK"] == "1"
    private static let people = isLong ? 1_000_000 : 50_000
    /// Milliseconds.
    fileprivate static let slowest = 5.0
    /// In one script: two for each of the 500 of whom a sign of life is noted at once.
    private static let mostCommands = 1100

    @Test("every step keeps its cost, with as many waiting as there may be")
    func steps() async throws {
        try await withRedis { _, redis in
            let line = try await Line(redis: redis, rate: 100_000) {
                $0.waitTTLSeconds = 3600
                $0.onOutage = .lease
            }
            let other = try #require(try await line.queues.create(tenant: line.tenant.id, name: "Other"))
            let before = try await line.usedMemory()
            let ids = try await line.fill(Self.people)
            let bytes = (try await line.usedMemory() - before) / Self.people
            #expect(bytes <= 200, "\(bytes) bytes a waiting person")

            let (queues, queue, middle) = (line.queues, line.queue.id, ids.count / 2)
            let desk = queues.desk("1", of: queue)
            let incidents = Incidents(redis: redis)
            func entry() async throws -> Identifier {
                let entry = try await queues.list(queue, skip: middle, limit: 1).first
                return try #require(entry).id
            }
            func step(_ name: String, _ body: () async throws -> Void) async throws {
                try await line.cost(of: name, mostCommands: Self.mostCommands, isTimed: Self.isLong, body)
            }
            try await step("join") { try await line.join("late") }
            try await step("join at once") {
                _ = try await line.joinAtOnce((0..<200).map { .init(queue: line.queue, visitor: "v\($0)") })
            }
            try await step("join again") { try await line.join("late", key: "0123456789abcdef") }
            try await step("status") { _ = try await queues.status(of: ids[middle], in: queue) }
            try await step("story") { _ = try await queues.story(of: ids[middle], in: queue, retentionHours: 24) }
            try await step("find") { _ = try await queues.find(ids[middle], in: [other, line.queue]) }
            try await step("list") {
                let people = try await queues.list(queue, skip: middle, limit: 1000)
                #expect(people.count == 1000)
            }
            try await step("search") {
                let people = try await queues.search(queue, for: "V\(middle).")
                #expect(people.count == 1)
            }
            try await step("touch") { try await line.touch(ids[middle..<(middle + 500)]) }
            try await step("cancel") {
                let left = try await queues.cancel(try await entry(), in: queue)
                #expect(left)
            }
            try await step("let in") {
                let entered = try await queues.letIn(try await entry(), of: queue)
                #expect(entered)
            }
            try await step("call") {
                let called = try await desk.call()
                #expect(called.isDone)
            }
            try await step("return") {
                _ = try await desk.call()
                let returned = try await desk.return()
                #expect(returned.isDone)
            }
            try await step("lease") {
                let lent = try await queues.lease(queue, life: .seconds(3)).1
                #expect(lent.count == 833)
            }
            try await step("release") {
                try await line.bucket(tokens: 1600, seconds: 0)
                let released = try await queues.release(queue)
                #expect(released.people.count == Queues.releaseBatch)
            }
            try await step("sweep") {
                try await line.silence(300, from: middle)
                let expired = try await line.sweep()
                #expect(expired == 300)
            }
            try await step("figures") {
                let figures = try await queues.figures(of: queue, waits: .thisHour)
                #expect(figures?.waitMedian != nil)
            }
            try await step("measure") {
                _ = try await redis.send(RedisCommand("DEL", .string(line.keys.minutes), .string(line.keys.hours)))
                _ = try await queues.measure(queue)
            }
            try await step("watch") {
                _ = try await incidents.watch(line.queue, isServed: true, limits: .init(waiting: 1000), channels: ["mail"])
            }
            try await step("learn") { try await queues.learnReleases(of: queue) }
            try await step("restore") {
                let lost = Ticket(
                    queue: queue, entry: .random(), sequence: Int64(middle), joined: .now(), epoch: line.queue.epoch, visitor: "lost")
                let restored = try await queues.restore(lost)
                #expect(restored == .waiting)
            }
            try await step("tell") { _ = try await queues.rememberReleased(queue) }
            try await step("delete") {
                _ = try await redis.send(RedisCommand("UNLINK", arguments: line.keys.contents.map { .string($0) }))
            }
        }
    }

    @Test("an opening of many who were drawn costs no more than any other step, and places are told near enough")
    func opening() async throws {
        let people = Self.isLong ? 200_000 : 10_000
        try await withRedis { _, redis in
            let line = try await Line(redis: redis, rate: 100_000) { $0.opensAt = .now().adding(seconds: 3600) }
            for start in stride(from: 0, to: people, by: 500) {
                let joined = try await line.joinAtOnce((start..<start + 500).map { .init(queue: line.queue, visitor: "v\($0)") })
                #expect(joined.allSatisfy { $0 != nil })
            }
            let (queues, queue) = (line.queues, line.queue.id)
            func step(_ name: String, _ body: () async throws -> Void) async throws {
                try await line.cost(of: "drawn: \(name)", mostCommands: Self.mostCommands, isTimed: Self.isLong, body)
            }
            try await step("join") { try await line.join("late") }
            let views = QueueViews(queues: queues)
            try await step("first view") { try await views.fetch(line.queue) }
            try await step("held release") {
                let release = try await queues.release(queue)
                #expect(release.people.isEmpty)
            }
            var open = line.queue
            open.opensAt = .now().adding(milliseconds: -1)
            try await step("opening") {
                let opened = try await queues.update(open, from: line.queue)
                #expect(opened)
            }
            try await step("first release") {
                try await line.bucket(tokens: 1600, seconds: 0)
                let released = try await queues.release(queue)
                #expect(released.people.count == Queues.releaseBatch)
            }
            for _ in 0..<25 {
                try await Task.sleep(for: .milliseconds(220))
                try await step("view") { try await views.fetch(open) }
            }
            let view = try #require(views.current(open))
            let waiting = try await queues.list(queue, skip: 0, limit: 1000)
            for entry in waiting.prefix(900) { #expect(view.place(entry.sequence) == entry.position) }
            for rank in stride(from: 1000, to: people - 2000, by: people / 20) {
                let entry = try #require(try await queues.list(queue, skip: rank, limit: 1).first)
                let place = try #require(view.place(entry.sequence))
                #expect(place >= rank && Double(place) <= Double(rank) * 1.02 + 2, "\(rank): \(place)")
            }
        }
    }
}

extension Line {
    /// Lets so many join, a hundred at once.
    fileprivate func fill(_ people: Int) async throws -> [Identifier] {
        let ids = (0..<people).map { _ in Identifier.random() }
        let joinKeys = Queues.JoinRequest(queue: queue, visitor: "").newcomerKeys
        for start in stride(from: 0, to: people, by: 100) {
            let newcomers = (start..<start + 100).flatMap { [RedisArgument.string(ids[$0].compact), .string("v\($0).visitor")] }
            _ = try await redis.evaluate(Scripts.join, keys: joinKeys, arguments: ["0", "0"] + newcomers)
        }
        return ids
    }

    fileprivate func usedMemory() async throws -> Int {
        let lines = try await redis.send(RedisCommand("INFO", "memory")).string ?? ""
        return try #require(
            lines.split(whereSeparator: \.isNewline).first { $0.hasPrefix("used_memory:") }.flatMap { Int($0.dropFirst(12)) })
    }

    fileprivate func touch(_ ids: ArraySlice<Identifier>) async throws {
        _ = try await redis.evaluate(
            Scripts.touch, keys: [keys.waiting, keys.counters], arguments: ["0"] + ids.map { .string($0.compact) })
    }

    /// Makes Redis believe that so many, from a rank on, were last seen long ago.
    fileprivate func silence(_ people: Int, from rank: Int) async throws {
        try await watch()
        let script = """
            local second = (redis.call('TIME')[1] - 10000) % 131072
            local people = redis.call('ZRANGE', KEYS[1], ARGV[1], ARGV[2], 'WITHSCORES')
            for i = 1, #people, 2 do redis.call('ZADD', KEYS[1], math.floor(people[i + 1]) + second / 131072, people[i]) end
            """
        _ = try await redis.send(
            RedisCommand(
                "EVAL", .string(script), 1, .string(keys.waiting), .integer(Int64(rank)), .integer(Int64(rank + people - 1))))
    }

    /// Sweeps the whole line once.
    fileprivate func sweep() async throws -> Int {
        var (cursor, expired): (Int64, Int) = (0, 0)
        repeat {
            let sweep = try await queues.sweep(queue, cursor: cursor, retentionHours: 24)
            cursor = sweep.cursor
            expired += sweep.expired
        } while cursor != 0
        return expired
    }

    /// Fails when a step's scripts run too many commands, or take too long of Redis's processor: by the clock the machine holds up any of
    /// them.
    fileprivate func cost(of name: String, mostCommands: Int, isTimed: Bool, _ step: () async throws -> Void) async throws {
        var fastest = Double.infinity
        for _ in 0..<5 where fastest > LongQueueTests.slowest {
            _ = try await redis.send(RedisCommand("CONFIG", "RESETSTAT"))
            let before = try await processorMilliseconds()
            try await step()
            let after = try await processorMilliseconds()
            let (scripts, commands) = try await calls()
            #expect(commands <= max(1, scripts) * mostCommands, "\(name): \(commands) commands in \(scripts) scripts")
            guard isTimed else { return }
            fastest = min(fastest, (after - before) / Double(max(1, scripts)))
        }
        #expect(fastest <= LongQueueTests.slowest, "\(name): \(fastest) ms a script")
    }

    private func processorMilliseconds() async throws -> Double {
        let lines = try await redis.send(RedisCommand("INFO", "cpu")).string ?? ""
        return lines.split(whereSeparator: \.isNewline).filter { $0.contains("_main_thread:") }
            .compactMap { $0.split(separator: ":").last.flatMap { Double($0) } }.reduce(0, +) * 1000
    }

    /// How many scripts ran, and how many commands they and the step ran.
    private func calls() async throws -> (scripts: Int, commands: Int) {
        let lines = try await redis.send(RedisCommand("INFO", "commandstats")).string ?? ""
        var (scripts, commands) = (0, 0)
        for line in lines.split(whereSeparator: \.isNewline) where line.hasPrefix("cmdstat_") {
            let parts = line.dropFirst(8).split(separator: ":")
            let calls = parts.last?.split(separator: ",").first.flatMap { Int($0.dropFirst(6)) } ?? 0
            if parts[0].hasPrefix("eval") { scripts += calls } else { commands += calls }
        }
        return (scripts, commands)
    }
}
