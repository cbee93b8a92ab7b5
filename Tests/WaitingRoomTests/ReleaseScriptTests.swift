import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("release-12.lua")
struct ReleaseScriptTests {
    @Test("a paused queue lets nobody in and takes people; a closed one the other way round, and keeps the places it has given")
    func states() async throws {
        try await Line.with(rate: 6000) { line in
            var queue = line.queue
            let first = try await line.join("a", key: "1")
            queue.state = .paused
            #expect(try await line.queues.update(queue))
            let paused = try await line.queues.release(queue.id)
            #expect(paused.people.isEmpty && paused.stillWaiting == 1 && paused.nextToken == nil)
            try await line.join("b")
            queue.state = .closed
            #expect(try await line.queues.update(queue))
            #expect(try await line.queues.join(.init(queue: queue, visitor: "c")) == nil)
            #expect(try await line.join("a", key: "1").entry.id == first.entry.id)
            try await line.bucket(tokens: 2, seconds: 0)
            #expect(try await line.queues.release(queue.id).people.count == 2)
            // Somebody who was let in and comes again is a new one.
            var again = Queues.JoinRequest(queue: queue, visitor: "a")
            again.idempotencyKey = "1"
            #expect(try await line.queues.join(again) == nil)
            queue.state = .open
            #expect(try await line.queues.update(queue))
            #expect(try await line.join("a", key: "1").entry.id != first.entry.id)
        }
    }

    @Test("the first of an idle queue goes at once, the second one interval later")
    func oneByOne() async throws {
        try await Line.with(rate: 60) { line in
            let people = [try await line.join("a"), try await line.join("b")]
            let first = try await line.queues.release(line.queue.id)
            #expect(first.people.map(\.entry) == [people[0].entry.id])
            #expect(first.stillWaiting == 1)
            let next = try #require(first.nextToken)
            #expect(next > .milliseconds(900) && next <= .seconds(1))
            #expect(try await line.queues.release(line.queue.id).people.isEmpty)
            try await line.bucket(tokens: 0, seconds: 1)
            #expect(try await line.queues.release(line.queue.id).people.map(\.entry) == [people[1].entry.id])
        }
    }

    @Test("people go in the order in which they joined, each once, each owed one callback")
    func order() async throws {
        try await Line.with(rate: 6000) { line in
            var expected: [Identifier] = []
            for index in 0..<250 { expected.append(try await line.join("v\(index)").entry.id) }
            var released: [Identifier] = []
            while released.count < 250 {
                try await line.bucket(tokens: 0, seconds: 0.5)
                released += try await line.queues.release(line.queue.id).people.map(\.entry)
            }
            #expect(released == expected)
            let owed = try await line.redis.send(RedisCommand("ZCARD", .string(line.keys.outbox)))
            #expect(owed.integer == 250)
            #expect(try await line.statistics().total.released == 250)
        }
    }

    @Test("many workers at once never let anybody in twice, nor more than the bucket holds")
    func concurrentWorkers() async throws {
        try await Line.with(rate: 600) { line in
            for index in 0..<100 { try await line.join("v\(index)") }
            try await line.bucket(tokens: 0, seconds: 60)
            let released = try await withThrowingTaskGroup(of: [Identifier].self) { group in
                for _ in 0..<50 { group.addTask { try await line.queues.release(line.queue.id).people.map(\.entry) } }
                return try await group.reduce(into: [Identifier]()) { $0 += $1 }
            }
            #expect(Set(released).count == released.count)
            // A burst of one second's worth is 10; the calls themselves take a few tenths of a second at 10 a second.
            #expect(released.count >= 10 && released.count <= 15)
        }
    }

    @Test("credit is not banked while nobody waits")
    func noBanking() async throws {
        try await Line.with(rate: 6000) { line in
            #expect(try await line.queues.release(line.queue.id).people.isEmpty)
            for index in 0..<50 { try await line.join("v\(index)") }
            try await line.bucket(tokens: 1, seconds: 3600, idle: true)
            #expect(try await line.queues.release(line.queue.id).people.count == 1)
        }
    }

    @Test("a stalled worker catches up by one second's worth at most", arguments: [(30.0, 1), (60, 1), (120, 2), (6000, 100)])
    func burst(rate: Double, most: Int) async throws {
        try await Line.with(rate: rate) { line in
            for index in 0..<150 { try await line.join("v\(index)") }
            try await line.bucket(tokens: 0, seconds: 3600)
            #expect(try await line.queues.release(line.queue.id).people.count == most)
        }
    }

    @Test("a clock that went back adds nothing and blocks nothing")
    func clockBackwards() async throws {
        try await Line.with(rate: 60) { line in
            try await line.join()
            try await line.bucket(tokens: 0.5, seconds: -3600)
            let release = try await line.queues.release(line.queue.id)
            #expect(release.people.isEmpty)
            #expect(try #require(release.nextToken) <= .milliseconds(500))
        }
    }

    @Test("a rate of 0, an inactive and a deleted queue let nobody in")
    func noRelease() async throws {
        try await Line.with(rate: 0) { line in
            try await line.join()
            #expect(try await line.queues.release(line.queue.id) == Release(people: [], stillWaiting: 1, nextToken: nil))
            var changed = line.queue
            changed.ratePerMinute = 60
            changed.isActive = false
            #expect(try await line.queues.update(changed))
            #expect(try await line.queues.release(line.queue.id).people.isEmpty)
            changed.isActive = true
            #expect(try await line.queues.update(changed))
            #expect(try await line.queues.delete(line.queue.id, retentionHours: 24))
            #expect(try await line.queues.release(line.queue.id).people.isEmpty)
        }
    }

    @Test("fractions of a person a minute work")
    func slowRate() async throws {
        try await Line.with(rate: 0.5) { line in
            try await line.join("a")
            try await line.join("b")
            let first = try await line.queues.release(line.queue.id)
            #expect(first.people.count == 1)
            let next = try #require(first.nextToken)
            #expect(next > .seconds(119) && next <= .seconds(120))
        }
    }

    @Test("full memory does not stop releases")
    func fullMemory() async throws {
        try await Line.with(rate: 60) { line in
            let joined = try await line.join()
            _ = try await line.redis.send(RedisCommand("CONFIG", "SET", "maxmemory", "1mb"))
            #expect(try await line.queues.release(line.queue.id).people.map(\.entry) == [joined.entry.id])
        }
    }

    @Test("a released person's wait and times are told by status")
    func status() async throws {
        try await Line.with(rate: 60) { line in
            let joined = try await line.join()
            _ = try await line.queues.release(line.queue.id)
            let entry = try #require(try await line.status(joined))
            #expect(entry.state == .released)
            #expect(entry.position == 0)
            #expect(entry.joined == joined.entry.joined)
            let finished = try #require(entry.finished)
            #expect(finished >= entry.joined)
            #expect(entry.waitSeconds == Int((finished.milliseconds - entry.joined.milliseconds) / 1000))
        }
    }
}
