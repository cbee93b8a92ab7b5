import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("Serving at a desk")
struct ServeScriptTests {
    @Test("first come, first served; nobody waiting is nobody")
    func order() async throws {
        try await Line.with { line in
            #expect(try await line.queues.serveNext(line.queue.id) == nil)
            for name in ["Ann", "Bob"] { _ = try await line.queues.join(.init(queue: line.queue, visitor: WalkIn(name: name).visitor)) }
            let first = try #require(try await line.queues.serveNext(line.queue.id))
            #expect(first.name == "Ann")
            #expect(first.visitorID == "")
            #expect(first.state == .released)
            #expect(first.queueLength == 1)
            #expect(try await line.queues.serveNext(line.queue.id)?.name == "Bob")
            #expect(try await line.queues.serveNext(line.queue.id) == nil)
        }
    }

    @Test("the average is the setting until three were served, then what services took, and no longer than their own wait")
    func average() async throws {
        try await Line.with(change: { $0.averageServiceMinutes = 7 }) { line in
            for number in 0..<3 {
                #expect(try await line.queues.averageServiceMinutes(line.queue) == 7)
                _ = try await line.queues.join(.init(queue: line.queue, visitor: "v\(number)"))
                _ = try await line.queues.serveNext(line.queue.id)
            }
            #expect(try await line.queues.averageServiceMinutes(line.queue) < 1)
            for _ in 0..<30 {
                _ = try await line.queues.join(.init(queue: line.queue, visitor: "v"))
                _ = try await line.queues.serveNext(line.queue.id)
            }
            #expect(try await line.redis.send(RedisCommand("LLEN", .string(line.queue.keys.services))).integer == 20)
        }
    }

    @Test("a place whose record is lost holds nobody up")
    func lost() async throws {
        try await Line.with { line in
            let first = try #require(try await line.queues.join(.init(queue: line.queue, visitor: "a")))
            _ = try await line.queues.join(.init(queue: line.queue, visitor: "b"))
            _ = try await line.redis.send(
                RedisCommand("HDEL", .string(line.queue.keys.entries), .string(first.entry.id.compact)))
            #expect(try await line.queues.serveNext(line.queue.id)?.visitor == "b")
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
}
