import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("Catalogue")
struct CatalogueTests {
    @Test("two changes of different settings, each made from what was read before, both hold")
    func changes() async throws {
        try await Line.with { line in
            let before = try #require(try await line.queues.get(line.queue.id))
            var (slower, told) = (before, before)
            slower.ratePerMinute = 3
            told.message = "Soon"
            #expect(try await line.queues.update(slower, from: before))
            #expect(try await line.queues.update(told, from: before))
            let after = try #require(try await line.queues.get(line.queue.id))
            #expect(after.ratePerMinute == 3)
            #expect(after.message == "Soon")
        }
    }

    @Test("a deleted queue is not changed, not even by nothing")
    func deleted() async throws {
        try await Line.with { line in
            let before = try #require(try await line.queues.get(line.queue.id))
            #expect(try await line.queues.update(before, from: before))
            #expect(try await line.queues.delete(line.queue.id, retentionHours: 24))
            #expect(try await line.queues.update(before, from: before) == false)
            #expect(try await line.queues.update(before) == false)
        }
    }

    @Test("what a deleted queue holds is forgotten after the retention time")
    func deletedQueue() async throws {
        try await Line.with { line in
            try await line.join()
            try await line.join("w")
            try await line.releaseOne()
            #expect(try await line.queues.delete(line.queue.id, retentionHours: 2))
            let pattern = RedisArgument.string("{q:\(line.queue.id.compact)}:*")
            let keys = try await line.redis.send(RedisCommand("KEYS", pattern)).array?.compactMap(\.string) ?? []
            #expect(keys.contains(line.keys.waiting) && keys.contains(line.keys.ready))
            for key in keys where key != line.keys.settings {
                let left = try #require(try await line.redis.send(RedisCommand("TTL", .string(key))).integer)
                #expect((7100...7200).contains(left), "\(key)")
            }
        }
    }

    @Test("a rate can be changed while memory is full")
    func memoryFull() async throws {
        try await Line.with { line in
            _ = try await line.redis.send(RedisCommand("CONFIG", "SET", "maxmemory", "1"))
            var queue = line.queue
            queue.ratePerMinute = 6000
            let isChanged = try await line.queues.update(queue, from: line.queue)
            #expect(isChanged)
            let verdict = try await AttemptLimit(redis: line.redis).attempt("poll:x", perMinute: 5)
            #expect(verdict == .allowed(left: 4))
            let log = AuditLog(redis: line.redis)
            try await log.append(
                AuditLine(actor: "a", action: "queue.update", target: queue.id, tenant: nil, before: .null, after: .null, requestID: "r"))
            #expect(try await log.list(of: nil, limit: 1).count == 1)
        }
    }

    @Test("a queue whose slug is taken is in no index")
    func taken() async throws {
        try await Line.with { line in
            let tenant = line.queue.tenant
            let one = try await line.queues.create(tenant: tenant, name: "One", slug: "same")
            let two = try await line.queues.create(tenant: tenant, name: "Two", slug: "same")
            #expect(one != nil)
            #expect(two == nil)
            for queues in [try await line.queues.list(of: tenant), try await line.queues.list()] {
                #expect(queues.filter { $0.name == "One" }.count == 1)
                #expect(!queues.contains { $0.name == "Two" })
            }
        }
    }
}
