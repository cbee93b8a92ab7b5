import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("The catalogue of an earlier version")
struct CatalogueMoveTests {
    @Test("names, lists, accounts and audit logs are found again, as often as they are moved; what is new is left alone")
    func moves() async throws {
        try await Line.with { line in
            let accounts = Accounts(redis: line.redis, passwordHash: PasswordHash(logN: 4))
            let log = AuditLog(redis: line.redis)
            let shop = try #require(try await line.queues.create(tenant: line.tenant.id, name: "Shop", slug: "shop"))
            let ann = try #require(
                try await accounts.create(email: "ann@shop.example", password: "a long password", role: .viewer, tenant: line.tenant.id))
            for action in ["queue.create", "queue.update"] {
                try await log.append(
                    AuditLine(
                        actor: "a", action: action, target: shop.id, tenant: line.tenant.id, before: .null, after: .null, requestID: "r"))
            }
            let before = try await line.queues.list(of: line.tenant.id).map(\.id)

            for _ in 1...2 {
                try await makeOld(line)
                for _ in 1...2 { try await CatalogueMove(redis: line.redis).run() }
                // Of a process that knows nothing by itself.
                let (queues, others) = (Queues(redis: line.redis, secret: line.secret), Accounts(redis: line.redis))
                #expect(try await queues.find("shop", of: line.tenant.id)?.id == shop.id)
                #expect(try await queues.list(of: line.tenant.id).map(\.id) == before)
                #expect(try await others.find(email: "ann@shop.example")?.id == ann.id)
                #expect(try await others.list().map(\.id) == [ann.id])
                #expect(try await log.list(of: nil, limit: 10).count == 2)
                #expect(try await log.list(of: line.tenant.id, limit: 10).map(\.action) == ["queue.update", "queue.create"])
                let left = try await line.redis.send(RedisCommand("KEYS", "{catalogue}:*")).array?.compactMap(\.string) ?? []
                #expect(Set(left) == [CatalogueKeys.slugs, CatalogueKeys.tenants, CatalogueKeys.queues])
                #expect(try await line.redis.send(RedisCommand("HLEN", .string(CatalogueKeys.slugs))).integer == 1)
            }
        }
    }

    /// As an earlier version would have left it.
    private func makeOld(_ line: Line) async throws {
        let tenant = line.tenant.id
        let slugs = try await line.redis.send(RedisCommand("HGETALL", .string(CatalogueKeys.slugs(of: tenant)))).fields ?? [:]
        for (slug, id) in slugs {
            _ = try await line.redis.send(
                RedisCommand("HSET", .string(CatalogueKeys.slugs), .string("\(tenant.compact)/\(slug)"), .string(id)))
        }
        _ = try await line.redis.send(RedisCommand("DEL", .string(CatalogueKeys.slugs(of: tenant))))
        for (now, old) in [
            (CatalogueKeys.queues(of: tenant), "queues:" + tenant.compact), (CatalogueKeys.emails, "emails"),
            (CatalogueKeys.accounts, "accounts"), (CatalogueKeys.audit, "audit"),
            (CatalogueKeys.audit(of: tenant), "audit:" + tenant.compact),
        ] {
            _ = try await line.redis.send(RedisCommand("RENAME", .string(now), .string("{catalogue}:" + old)))
        }
    }
}
