import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("What was deleted goes for good")
struct PurgeTests {
    private func keys(_ line: Line) async throws -> Set<String> {
        Set(try await line.redis.send(RedisCommand("KEYS", "*")).array?.compactMap(\.string) ?? [])
    }

    /// Makes Redis believe that what is deleted was noted so long ago.
    private func age(_ line: Line, hours: Double) async throws {
        let notes =
            try await line.redis.send(RedisCommand("ZRANGE", .string(CatalogueKeys.deleted), 0, -1)).array?.compactMap(\.string) ?? []
        for note in notes {
            _ = try await line.redis.send(
                RedisCommand("ZINCRBY", .string(CatalogueKeys.deleted), .string("\(-hours * 3600)"), .string(note)))
        }
    }

    @Test("a deleted queue goes after the retention time with all it holds, and its slug is free; others stay")
    func queue() async throws {
        try await Line.with { line in
            let purge = Purge(redis: line.redis)
            let before = try await keys(line)
            let doomed = try #require(try await line.queues.create(tenant: line.tenant.id, name: "Doomed", slug: "doomed"))
            for visitor in ["a", "b"] { _ = try await line.queues.join(.init(queue: doomed, visitor: visitor)) }
            #expect(try await line.queues.delete(doomed.id, retentionHours: 24))
            // A late writer whose key has no life.
            _ = try await line.redis.send(RedisCommand("HSET", .string(doomed.keys.bucket), "tokens", "1"))

            #expect(try await purge.run(retentionHours: 24) == 0)
            try await age(line, hours: 23.9)
            #expect(try await purge.run(retentionHours: 24) == 0)
            #expect(try await keys(line).contains(doomed.keys.settings))
            try await age(line, hours: 0.2)
            #expect(try await purge.run(retentionHours: 24) == 1)
            #expect(try await keys(line) == before)
            #expect(try await line.queues.list().map(\.id) == [line.queue.id])
            #expect(try await line.redis.send(RedisCommand("HLEN", .string(CatalogueKeys.slugs(of: line.tenant.id)))).integer == 1)
            #expect(try await line.queues.create(tenant: line.tenant.id, name: "Again", slug: "doomed") != nil)
            #expect(try await purge.run(retentionHours: 24) == 0)
        }
    }

    @Test("a deleted tenant goes with its queues, and with its audit log")
    func tenant() async throws {
        try await Line.with { line in
            let purge = Purge(redis: line.redis)
            try await line.join("v")
            try await AuditLog(redis: line.redis).append(
                AuditLine(
                    actor: "a", action: "queue.update", target: line.queue.id, tenant: line.tenant.id, before: .null, after: .null,
                    requestID: "r"))
            #expect(try await line.tenants.delete(line.tenant.id))
            #expect(try await purge.run(retentionHours: 1) == 0)
            try await age(line, hours: 1)
            #expect(try await purge.run(retentionHours: 1) == 2)
            #expect(try await keys(line) == [CatalogueKeys.audit])
        }
    }

    @Test("what was brought back by hand stays, and what a worker left half removed is finished")
    func halfway() async throws {
        try await Line.with { line in
            let purge = Purge(redis: line.redis)
            let doomed = try #require(try await line.queues.create(tenant: line.tenant.id, name: "Doomed", slug: "doomed"))
            for id in [line.queue.id, doomed.id] { #expect(try await line.queues.delete(id, retentionHours: 1)) }
            #expect(try await purge.run(retentionHours: 1) == 0)
            try await age(line, hours: 1)
            _ = try await line.redis.send(RedisCommand("HSET", .string(line.keys.settings), "deleted", "0", "active", "1"))
            // As far as a worker may come before it dies.
            _ = try await line.redis.send(RedisCommand("DEL", .string(doomed.keys.settings)))
            #expect(try await purge.run(retentionHours: 1) == 1)
            #expect(try await line.queues.list().map(\.id) == [line.queue.id])
            #expect(try await line.catalogue.identifier(ofSlug: "\(line.tenant.id.compact)/doomed", .queue) == nil)
            #expect(try await line.redis.send(RedisCommand("EXISTS", .string(CatalogueKeys.deleted))).integer == 0)
            try await line.join("v")
        }
    }
}

extension Line {
    fileprivate var catalogue: Catalogue { Catalogue(redis: redis, memory: CatalogueMemory()) }
}
