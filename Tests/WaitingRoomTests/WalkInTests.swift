import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("Walk-in lines: forecast, key, names")
struct WalkInTests {
    @Test("the average is the setting until three were served, then what services took, and no longer than their own wait")
    func average() async throws {
        try await Line.with(change: { $0.averageServiceMinutes = 7 }) { line in
            let desk = line.queues.desk(of: line.queue.id)
            for number in 0..<3 {
                #expect(try await line.queues.averageServiceMinutes(line.queue) == 7)
                try await line.join("v\(number)")
                _ = try await desk.serveNext()
            }
            #expect(try await line.queues.averageServiceMinutes(line.queue) < 1)
            for _ in 0..<30 {
                try await line.join()
                _ = try await desk.serveNext()
            }
            #expect(try await line.redis.send(RedisCommand("LLEN", .string(line.queue.keys.durations))).integer == 20)
        }
    }

    @Test("each model of the forecast reads its own part of what was measured")
    func models() async throws {
        try await Line.with { line in
            for minutes in [1, 2, 3] {
                let value = "\(minutes * 60_000):\(minutes * 600_000)"
                _ = try await line.redis.send(RedisCommand("LPUSH", .string(line.keys.durations), .string(value)))
            }
            var queue = line.queue
            #expect(try await line.queues.averageServiceMinutes(queue) == 2)
            queue.etaModel = .waitAverage
            #expect(try await line.queues.averageServiceMinutes(queue) == 20)
        }
    }

    @Test("an admin key opens its own queue only; a queue without one is opened by none")
    func keys() async throws {
        try await Line.with { line in
            let key = AdminKey.generate()
            var queue = line.queue
            queue.adminKeyHash = key.hash
            #expect(key.opens(queue))
            #expect(!AdminKey.generate().opens(queue))
            #expect(!AdminKey("").opens(queue))
            queue.adminKeyHash = nil
            #expect(!key.opens(queue))
            let isClaimed = try await line.queues.claim(line.queue.id, with: key)
            #expect(!isClaimed)
        }
    }

    @Test("names as anybody may see them")
    func names() {
        let queue = Identifier.random()
        var settings = Queue(
            id: queue, fields: ["tenant": Identifier.random().compact, "slug": "s", "name": "n", "names": "initials"])!
        let entry = Entry(
            queue: queue, id: .random(), sequence: 17, visitor: WalkIn(name: "Alex  van Rivera").visitor, state: .waiting,
            joined: Timestamp(milliseconds: 0), finished: nil, position: 1, queueLength: 1, lastSeen: nil)
        #expect(entry.name(in: settings) == "A. v. R.")
        settings.names = .hidden
        #expect(entry.name(in: settings) == "Guest 17")
        settings.names = .full
        #expect(entry.name(in: settings) == "Alex  van Rivera")
    }
}
