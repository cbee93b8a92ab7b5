import HTTPTypes
import Redis
import TestSupport
import Testing
import WaitingRoom

@testable import Gateway

@Suite("While Redis is away")
struct OutageTests {
    private static let patience = Duration.milliseconds(500)

    /// Joins `people` and polls once for each; the tokens in their order.
    private func crowd(_ people: Int, in queue: Queue, of tenant: Tenant, at site: Site) async throws -> [String] {
        var tokens: [String] = []
        for index in 0..<people {
            tokens.append(try #require(try await site.join(queue, of: tenant, visitor: "v\(index)").json["token"]?.string))
        }
        for token in tokens { #expect(try await site.get("/queue_status?token=\(token)").status == 200) }
        return tokens
    }

    @Test("the waiting page is there, by id and by name, and a poll says that places are kept")
    func told() async throws {
        try await withGateway(patience: Self.patience) { site in
            let tenant = try #require(try await site.room.tenants.create(.init(name: "Shop", domain: "shop.example", slug: "shop"))).tenant
            let made = try await site.room.queues.create(tenant: tenant.id, name: "Drop", slug: "drop")
            let queue = try #require(made)
            let tokens = try await crowd(1, in: queue, of: tenant, at: site)
            site.redis.signal(19)
            defer { site.redis.signal(18) }
            for path in ["/wait/\(queue.id)", "/wait/shop/drop", "/scripts/queue.js?app_id=\(tenant.id)"] {
                let answer = try await site.get(path)
                #expect(answer.status == 200, "\(path)")
            }
            for _ in 0..<2 {
                let poll = try await site.get("/queue_status?token=\(tokens[0])")
                #expect(poll.status == 503)
                #expect(poll.headers[.retryAfter] != nil)
                #expect(poll.text.contains("Places in line are kept"))
            }
            #expect(try await site.get("/wait/nobody/nothing").status == 503)
        }
    }

    @Test("on_outage hold, the default: nobody is let in")
    func hold() async throws {
        try await withGateway(patience: Self.patience) { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant, rate: 6000)
            let tokens = try await crowd(3, in: queue, of: tenant, at: site)
            await site.room.leases.renew()
            site.redis.signal(19)
            defer { site.redis.signal(18) }
            for token in tokens { #expect(try await site.get("/queue_status?token=\(token)").status == 503) }
        }
    }

    @Test("on_outage lease: those who were lent are let in, nobody behind them, and Redis is told afterwards")
    func lease() async throws {
        try await withGateway(patience: Self.patience) { site in
            let tenant = try #require(
                try await site.room.tenants.create(.init(name: "Shop", domain: "shop.example", redirectURL: "https://shop.example/in"))
            ).tenant
            // Half of a second's worth: three people.
            let queue = try await site.queue(of: tenant, rate: 360) { $0.onOutage = .lease }
            let tokens = try await crowd(5, in: queue, of: tenant, at: site)
            await site.room.leases.renew()
            site.redis.signal(19)
            // The last first: it is not whoever asks first.
            var statuses: [Int] = []
            for token in tokens.reversed() {
                let answer = try await site.get("/queue_status?token=\(token)")
                statuses.insert(answer.status, at: 0)
                if answer.status == 200 {
                    let json = try answer.json
                    #expect(json["status"] == "ready")
                    #expect(json["redirect_url"] == "https://shop.example/in")
                }
            }
            #expect(statuses == [200, 200, 200, 503, 503])
            site.redis.signal(18)
            try await eventually("Redis answers") { (try? await site.room.redis.send(RedisCommand("PING"))) != nil }
            // Until Redis knows, they are still told the same.
            #expect(try await site.get("/queue_status?token=\(tokens[0])").json["status"] == "ready")
            await site.room.leases.settle()
            #expect(!site.room.leases.owesRedis)
            for (index, token) in tokens.enumerated() {
                let json = try await site.get("/queue_status?token=\(token)").json
                #expect(json["status"] == (index < 3 ? "ready" : "waiting"))
                if index >= 3 { #expect(json["position"] == .integer(index - 2)) }
            }
            let statistics = try await site.room.queues.statistics(of: [queue.id])[0]
            #expect(statistics.total.released == 3)
            let owed = try await site.room.redis.send(RedisCommand("ZCARD", .string(queue.keys.outbox))).integer
            #expect(owed == 3)
        }
    }

    @Test("an application with a rate of its own, or one that is off, is lent nobody", arguments: [true, false])
    func notLent(isActive: Bool) async throws {
        try await withGateway(patience: Self.patience) { site in
            let tenant = try #require(try await site.room.tenants.create(.init(name: "Shop", domain: "shop.example"))).tenant
            let queue = try await site.queue(of: tenant, rate: 6000) { $0.onOutage = .lease }
            let tokens = try await crowd(2, in: queue, of: tenant, at: site)
            var changed = tenant
            changed.isActive = isActive
            if isActive { changed.ratePerMinute = 60 }
            #expect(try await site.room.tenants.update(changed, from: tenant))
            let tickets = tokens.compactMap { site.room.queues.signer.verify($0) }
            try await eventually("nobody is lent any more") {
                await site.room.leases.renew()
                return tickets.allSatisfy { site.room.leases.spend($0) == nil }
            }
        }
    }

    @Test("what is lent is not in the bucket as well, and a spent lease is not settled twice")
    func bucket() async throws {
        try await withGateway(patience: Self.patience) { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant, rate: 1200) { $0.onOutage = .lease }
            let tokens = try await crowd(40, in: queue, of: tenant, at: site)
            let tickets = try tokens.map { try #require(site.room.queues.signer.verify($0)) }
            await site.room.leases.renew()
            let before = Timestamp.now()
            var lent = 0
            for ticket in tickets where site.room.leases.spend(ticket) != nil { lent += 1 }
            #expect(lent == 10)
            let released = try await site.room.queues.release(queue.id).people.count
            // 20 is one second's worth; what grew meanwhile may go too.
            let grown = Double(Timestamp.now().milliseconds - before.milliseconds) * 1200 / 60_000
            #expect(Double(released) <= 10 + grown + 1)
            await site.room.leases.settle()
            await site.room.leases.settle()
            let statistics = try await site.room.queues.statistics(of: [queue.id])[0]
            #expect(statistics.total.released == max(lent, released))
        }
    }
}
