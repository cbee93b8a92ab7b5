import HTTPTypes
import Hummingbird
import Redis
import TestSupport
import Testing
import WaitingRoom

@testable import Releaser

@Suite("AlertLoop")
struct AlertLoopTests {
    private func pace(waiting: Int = 1000, change: (inout AlertPace) -> Void = { _ in }) -> AlertPace {
        var pace = AlertPace(look: .milliseconds(50), outage: .milliseconds(300), limits: .init(waiting: waiting))
        change(&pace)
        return pace
    }

    /// Runs `body` with a place, a webhook and the first lines of what was posted there.
    private func withWebhook(
        _ body: @Sendable @escaping (_ place: Workplace, _ variables: [String: String], _ posted: Locked<[String]>) async throws -> Void
    ) async throws {
        let posted = Locked<[String]>([])
        let answer: @Sendable (Request) async throws -> Response = { request in
            let body = try await request.body.collect(upTo: 65_536)
            let text = try JSONScanner.scan(Array(body.readableBytesView))["text"]?.string ?? ""
            posted.update { $0.append(String(text.prefix { $0 != "\n" })) }
            return Response(status: .ok)
        }
        try await withWebsite(answer: answer) { port in
            try await Workplace.with { place in try await body(place, ["WEBHOOK_URL": "http://127.0.0.1:\(port)/hook"], posted) }
        }
    }

    /// Runs `body` while `count` workers work.
    private func withWorkers(
        _ count: Int, _ place: Workplace, _ variables: [String: String], _ pace: AlertPace,
        _ body: @Sendable ([Worker]) async throws -> Void,
        beside workers: [Worker] = []
    ) async throws {
        guard count > 0 else { return try await body(workers) }
        try await place.withWorker(variables, alertPace: pace) { worker in
            try await withWorkers(count - 1, place, variables, pace, body, beside: workers + [worker])
        }
    }

    private func raised(_ workers: [Worker], _ kind: String) -> Int {
        workers.reduce(0) { $0 + (Int($1.exported("alerts_raised_total{kind=\"\(kind)\"}") ?? "") ?? 0) }
    }

    @Test("ten workers: one message when the line is too long, one when it is not any more")
    func tenWorkers() async throws {
        try await withWebhook { place, variables, posted in
            let queue = try await place.queue(rate: 0)
            let people = try await place.join(queue, people: 4)
            try await withWorkers(10, place, variables, pace(waiting: 3)) { workers in
                try await eventually("it is told") { posted.get().count == 1 }
                #expect(raised(workers, "queue_too_long") == 1)
                for person in people { #expect(try await place.queues.cancel(person.id, in: queue.id)) }
                try await eventually("the end is told") { posted.get().count == 2 }
            }
            #expect(
                posted.get() == [
                    "4 people wait in \"Drop\"", "Resolved: the line of \"Drop\" is within its threshold again",
                ])
        }
    }

    @Test("what a worker that died had claimed is sent by another when the lease is over")
    func inherited() async throws {
        try await withWebhook { place, variables, posted in
            let queue = try await place.queue(rate: 0)
            try await place.join(queue, people: 2)
            let incidents = Incidents(redis: place.redis)
            let look = try await incidents.watch(queue, isServed: true, limits: .init(waiting: 1), channels: ["webhook"])
            #expect(look.isOwed)
            #expect(try await incidents.claim(of: queue, channel: "webhook", lease: .milliseconds(700)) != nil)
            try await place.withWorker(variables, alertPace: pace(waiting: 1)) { _ in
                try await eventually("it is told") { posted.get().count == 1 }
            }
        }
    }

    @Test("of many queues one whose line has gone while nobody looked is found to be well again")
    func turns() async throws {
        try await Workplace.with { place in
            for _ in 0..<300 { _ = try await place.queue() }
            let queue = try await place.queue(rate: 0)
            let people = try await place.join(queue, people: 2)
            let incidents = Incidents(redis: place.redis)
            let look = try await incidents.watch(queue, isServed: true, limits: .init(waiting: 1), channels: [])
            #expect(look.changes.map(\.kind) == [.queueTooLong])
            for person in people { #expect(try await place.queues.cancel(person.id, in: queue.id)) }
            #expect(try await incidents.conspicuous([queue.id], limits: .init(waiting: 1)).isEmpty)
            try await place.withWorker(alertPace: pace(waiting: 1)) { _ in
                try await eventually("it is over") { try await incidents.open(of: [queue]).isEmpty }
            }
        }
    }

    @Test("with nobody to tell, incidents are kept and counted all the same")
    func nobodyToTell() async throws {
        try await Workplace.with { place in
            let queue = try await place.queue(rate: 0)
            try await place.join(queue, people: 2)
            try await withWorkers(3, place, [:], pace(waiting: 1)) { workers in
                try await eventually("it is kept") {
                    try await Incidents(redis: place.redis).open(of: [queue]).map(\.kind) == [.queueTooLong]
                }
                try await eventually("it is counted once") { raised(workers, "queue_too_long") == 1 }
            }
        }
    }

    @Test("a queue whose releases fail while people wait is told, and that it goes on again")
    func stalled() async throws {
        try await withWebhook { place, variables, posted in
            let queue = try await place.queue(rate: 60_000)
            let bucket = RedisArgument.string(QueueKeys(queue.id).bucket)
            _ = try await place.redis.send(RedisCommand("SET", bucket, "no hash"))
            try await place.join(queue, people: 2)
            try await place.withWorker(variables, alertPace: pace { $0.limits.standstill = .milliseconds(200) }) { _ in
                try await eventually("it is told") { posted.get() == ["Nobody is let in from \"Drop\""] }
                _ = try await place.redis.send(RedisCommand("DEL", bucket))
                try await eventually("the end is told") {
                    posted.get().dropFirst() == ["Resolved: \"Drop\" lets people in again, or nobody waits for it"]
                }
            }
        }
    }

    @Test("callbacks that are given up are told")
    func callbacks() async throws {
        try await withWebhook { place, variables, posted in
            let other = try await place.tenants.create(.init(name: "Other", domain: "other.example", callbackURL: "http://127.0.0.1:1/"))
            let queue = try await place.queue(of: try #require(other).tenant)
            try await place.join(queue, people: 1)
            try await place.withWorker(variables.merging(["CALLBACK_MAX_ATTEMPTS": "1"]) { $1 }, alertPace: pace()) { _ in
                try await eventually("it is told") { posted.get() == ["Callbacks of \"Drop\" fail"] }
            }
        }
    }

    /// Waits until the first of the workers, of whom all are alive, has looked twice: it has told of two queues, one after the other.
    private func lookedTwice(_ place: Workplace, _ posted: Locked<[String]>, _ workers: [Worker]) async throws {
        try await eventually("all are alive") {
            try await place.redis.send(RedisCommand("ZCARD", .string(CatalogueKeys.workers))).integer == Int64(workers.count)
        }
        for count in 1...2 {
            let queue = try await place.queue(rate: 0)
            try await place.join(queue, people: 2)
            try await eventually("it is told") { posted.get().count == count }
            // Who has looked is not who looks after it. What nobody has seen nobody misses after a loss.
            try await eventually("its own worker knows of them") {
                workers.contains { $0.exported("queue_size{queue_id=\"\(queue.id)\"}") == "2" }
            }
        }
        posted.set([])
    }

    @Test("Redis gone and back: three workers tell it once each")
    func outage() async throws {
        try await withWebhook { place, variables, posted in
            try await withWorkers(3, place, variables, pace(waiting: 1)) { workers in
                try await lookedTwice(place, posted, workers)
                place.server.crash()
                try await eventually("it is told") { posted.get().count == 1 }
                try await place.server.start()
                // It comes back empty, which both queues are told of.
                let lost = "Redis has lost data of \"Drop\""
                let told = [lost, lost, "Redis is unwell", "Resolved: Redis is well again"]
                try await eventually("the end is told") { posted.get().sorted() == told }
                #expect(raised(workers, "redis_unwell") == 1)
                #expect(raised(workers, "queue_lost_data") == 2)
            }
        }
    }

    @Test("a Redis that has become a read-only replica is told, though it keeps no incident")
    func replica() async throws {
        try await withWebhook { place, variables, posted in
            try await place.withWorker(variables, alertPace: pace(waiting: 1)) { worker in
                try await lookedTwice(place, posted, [worker])
                _ = try await place.redis.send(RedisCommand("REPLICAOF", "127.0.0.1", "1"))
                try await eventually("it is told") { posted.get() == ["Redis is unwell"] }
                _ = try await place.redis.send(RedisCommand("REPLICAOF", "NO", "ONE"))
                try await eventually("the end is told") { posted.get().dropFirst() == ["Resolved: Redis is well again"] }
            }
        }
    }

    @Test("memory that is nearly full is told")
    func memory() async throws {
        try await withWebhook { place, variables, posted in
            try await place.withWorker(variables, alertPace: pace()) { _ in
                let info = try #require(try await place.redis.send(RedisCommand("INFO", "memory")).string)
                let line = try #require(info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("used_memory:") })
                let used = try #require(Int64(line.dropFirst("used_memory:".count)))
                _ = try await place.redis.send(RedisCommand("CONFIG", "SET", "maxmemory", .integer(used * 21 / 20)))
                try await eventually("it is told") { posted.get() == ["Redis is unwell"] }
                _ = try await place.redis.send(RedisCommand("CONFIG", "SET", "maxmemory", "0"))
                try await eventually("the end is told") { posted.get().dropFirst() == ["Resolved: Redis is well again"] }
            }
        }
    }
}
