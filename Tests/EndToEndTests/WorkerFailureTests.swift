import Foundation
import Redis
import TestSupport
import Testing
import WaitingRoom

@Suite("Both programs together", .serialized)
struct WorkerFailureTests {
    @Test(
        "three workers, one killed, one stopped for longer than a lock lives: everyone in once, in order, within the rate, each called back"
    )
    func killedAndStopped() async throws {
        let receiver = Receiver()
        try await receiver.run {
            try await Installation.with(environment: ["LOCK_TTL_MS": "1000"]) { site in
                let token = try await site.signIn()
                let shop = try await site.application(token, callbackURL: receiver.url)
                var queues: [Identifier] = []
                for _ in 0..<6 { queues.append(try await site.queue(token, of: shop, ratePerMinute: 600)) }
                let people = 80
                for queue in queues {
                    for index in 0..<people {
                        #expect(try await site.join(queue, of: shop, visitor: "v\(index)").status == 200)
                    }
                }
                var workers: [Program] = []
                for _ in 0..<3 { workers.append(try await site.releaser()) }
                try await Task.sleep(for: .seconds(2))
                workers[0].signal(SIGKILL)
                workers[1].signal(SIGSTOP)
                try await Task.sleep(for: .seconds(4))
                workers[1].signal(SIGCONT)

                let all = queues
                try await withClient(of: site.redis) { client in
                    let domain = Queues(redis: client, secret: SecretKey(Installation.secretKey)!)
                    for queue in all {
                        try await eventually("everyone is let in", within: .seconds(60)) {
                            try await domain.statistics(of: [queue])[0].total.released == people
                        }
                        let history = ReleaseHistory(try await domain.list(queue, states: [.released], skip: 0, limit: 1000))
                        #expect(history.released.count == people)
                        #expect(history.isInOrder)
                        #expect(!history.hasDoubles)
                        #expect(history.excess(ratePerMinute: 600) <= 0)
                    }
                }
                try await eventually("each is called back", within: .seconds(60)) {
                    Set(receiver.all.map(\.id)).count == queues.count * people
                }
                let entries = Set(receiver.all.compactMap { $0.body["entry_id"]?.string })
                #expect(entries.count == queues.count * people)
                let status = try await site.get("/dashboard/summary", bearer: token).json
                #expect(status["ready_users"] == .integer(queues.count * people))
                #expect(status["waiting_users"] == 0)
            }
        }
    }

    @Test("the rate is used: a queue of 300 a minute is worked off in the time that it takes")
    func evenness() async throws {
        try await Installation.with { site in
            let token = try await site.signIn()
            let shop = try await site.application(token, callbackURL: nil)
            let queue = try await site.queue(token, of: shop, ratePerMinute: 300)
            for index in 0..<40 { #expect(try await site.join(queue, of: shop, visitor: "v\(index)").status == 200) }
            try await site.releaser()
            try await withClient(of: site.redis) { client in
                let domain = Queues(redis: client, secret: SecretKey(Installation.secretKey)!)
                try await eventually("everyone is let in", within: .seconds(60)) {
                    try await domain.statistics(of: [queue])[0].total.released == 40
                }
                let history = ReleaseHistory(try await domain.list(queue, states: [.released], skip: 0, limit: 100))
                #expect(history.isInOrder)
                #expect(history.excess(ratePerMinute: 300) <= 0)
                // 39 intervals of 200 ms; an uneven worker would leave gaps of a second and catch up in bursts.
                let times = history.released.map { $0.finished!.milliseconds }
                let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
                #expect(gaps.filter { $0 > 600 }.isEmpty)
                #expect(gaps.filter { $0 == 0 }.count <= 4)
            }
        }
    }

    @Test("Redis stopped and back: visitors are told while it is away, keep their places, and nobody goes twice")
    func redisStopped() async throws {
        try await Installation.with { site in
            let token = try await site.signIn()
            let shop = try await site.application(token, callbackURL: nil)
            let queue = try await site.queue(token, of: shop, ratePerMinute: 120)
            var tickets: [String] = []
            for index in 0..<12 {
                tickets.append(try #require(try await site.join(queue, of: shop, visitor: "v\(index)").json["token"]?.string))
            }
            try await site.releaser()
            try await Task.sleep(for: .seconds(1))
            site.redis.signal(SIGSTOP)
            let during = try await site.get("/queue_status?token=\(tickets[11])")
            #expect(during.status == 503)
            #expect(try await site.get("/health").status == 503)
            #expect(try await site.join(queue, of: shop, visitor: "late").status == 503)
            try await Task.sleep(for: .seconds(3))
            site.redis.signal(SIGCONT)
            try await eventually("polls work again") { try await site.get("/queue_status?token=\(tickets[11])").status == 200 }
            try await withClient(of: site.redis) { client in
                let domain = Queues(redis: client, secret: SecretKey(Installation.secretKey)!)
                try await eventually("everyone is let in", within: .seconds(60)) {
                    try await domain.statistics(of: [queue])[0].total.released >= 12
                }
                let history = ReleaseHistory(try await domain.list(queue, states: [.released], skip: 0, limit: 100))
                #expect(history.isInOrder)
                #expect(!history.hasDoubles)
                #expect(history.excess(ratePerMinute: 120) <= 0)
            }
        }
    }

    @Test("a gateway killed right after a join: the place is there at the next one")
    func gatewayKilled() async throws {
        try await Installation.with { site in
            let token = try await site.signIn()
            let shop = try await site.application(token, callbackURL: nil)
            let queue = try await site.queue(token, of: shop, ratePerMinute: 0)
            let second = freePort()
            let gateway = try await site.gateway(port: second)
            let joined = try await site.join(queue, of: shop, visitor: "v", port: second).json
            gateway.signal(SIGKILL)
            let status = try await site.get("/queue_status?token=\(try #require(joined["token"]?.string))").json
            #expect(status["id"] == joined["id"])
            #expect(status["position"] == 1)
        }
    }
}
