import Observability
import Redis
import TestSupport
import Testing
import WaitingRoom

@testable import Releaser

@Suite("Worker")
struct WorkerTests {
    @Test("two workers share the queues; when one leaves, the other has them all; at the end no lock is left")
    func shared() async throws {
        try await Workplace.with { place in
            for _ in 0..<6 { _ = try await place.queue() }
            try await place.withWorker { first in
                try await eventually("the only worker has all") { first.lookedAfter.count == 6 }
                try await place.withWorker { second in
                    try await eventually("each has a half of its own") {
                        let (one, other) = (first.lookedAfter, second.lookedAfter)
                        return one.count == 3 && other.count == 3 && one.isDisjoint(with: other)
                    }
                }
                try await eventually("the one left has all") { first.lookedAfter.count == 6 }
            }
            #expect(try await place.redis.send(RedisCommand("EXISTS", .string(CatalogueKeys.workers))).integer == 0)
        }
    }

    @Test("the queues of a worker that died are taken when its locks have run out")
    func inherited() async throws {
        try await Workplace.with { place in
            let queue = try await place.queue()
            _ = try await place.queue()
            try await place.join(queue, people: 5)
            let dead = QueueLocks(redis: place.redis, worker: "dead", lifeMilliseconds: 400)
            let shard = QueueLocks.shard(of: queue.id)
            #expect(try await dead.share([shard: 1]) == [shard])
            try await place.withWorker { worker in
                try await eventually("everyone is let in") { try await place.released(queue).count == 5 }
                try await eventually("it has both queues") { worker.lookedAfter.count == 2 }
            }
        }
    }

    @Test("people go in order and within the rate in every window, and each is counted")
    func rate() async throws {
        try await Workplace.with { place in
            let queue = try await place.queue(rate: 1200)
            let joined = try await place.join(queue, people: 60)
            try await place.withWorker { worker in
                try await eventually("everyone is let in") { try await place.released(queue).count == 60 }
                let entries = try await place.released(queue).sorted { $0.sequence < $1.sequence }
                #expect(entries.map(\.id) == joined.map(\.id))
                let times = try entries.map { Double(try #require($0.finished).milliseconds) / 1000 }
                #expect(times == times.sorted())
                // A window may be up to a millisecond longer than it looks; the burst is one second's worth.
                for (first, start) in times.enumerated() {
                    for (last, end) in times.enumerated().dropFirst(first) {
                        #expect(Double(last - first + 1) <= 20 * (end - start + 0.001) + 20)
                    }
                }
                try await eventually("they are counted") { worker.exported("queue_users_released_total") == "60" }
                try await eventually("the size is back at 0") {
                    worker.metrics.render().contains("queue_size{queue_id=\"\(queue.id)\"} 0\n")
                }
            }
        }
    }

    @Test("a deleted queue is let go, and so are those of a tenant that is switched off until it is on again")
    func deleted() async throws {
        try await Workplace.with { place in
            let other = try #require(try await place.tenants.create(.init(name: "Other", domain: "other.example"))).tenant
            let (queue, sleeping) = (try await place.queue(), try await place.queue(of: other))
            try await place.withWorker { worker in
                try await eventually("it has both") { worker.lookedAfter.count == 2 }
                try await place.join(queue, people: 1)
                try await eventually("somebody was let in") {
                    worker.metrics.render().contains("queue_released_total{queue_id=\"\(queue.id)\"} 1\n")
                }
                #expect(try await place.queues.delete(queue.id, retentionHours: 24))
                try await eventually("its metrics are gone") { !worker.metrics.render().contains("\(queue.id)") }
                var off = other
                off.isActive = false
                #expect(try await place.tenants.update(off))
                try await eventually("it has none") { worker.lookedAfter.isEmpty }
                try await place.join(sleeping, people: 3)
                #expect(try await place.tenants.update(other))
                try await eventually("the others are let in") { try await place.released(sleeping).count == 3 }
            }
        }
    }

    @Test("a visit lets nobody in whose application is switched off, though the worker has just taken the queue")
    func visited() async throws {
        try await Workplace.with { place in
            let queue = try await place.queue()
            try await place.join(queue, people: 1)
            var off = place.tenant
            off.isActive = false
            #expect(try await place.tenants.update(off))
            try await place.withWorker { worker in
                try await eventually("it has begun") { worker.isWorking }
                let rounds = QueueRounds(worker: worker)
                rounds.hold([ListedQueue(id: queue.id, tenant: queue.tenant, isServed: true)])
                await rounds.visit()
                #expect(try await place.released(queue).isEmpty)
                // It was visited.
                let swept = RedisCommand("HEXISTS", .string(queue.keys.counters), "swept_at")
                #expect(try await place.redis.send(swept).integer == 1)
            }
        }
    }

    @Test("whom a visit lets in is counted as their queue's, too")
    func visitCounted() async throws {
        try await Workplace.with { place in
            let queue = try await place.queue()
            try await place.join(queue, people: 1)
            // Another worker has it, so that this one makes no visit of its own.
            let other = QueueLocks(redis: place.redis, worker: "other", lifeMilliseconds: 600_000)
            #expect(try await other.share([QueueLocks.shard(of: queue.id): 1]).count == 1)
            try await place.withWorker(["LOCK_TTL_MS": "600000"]) { worker in
                try await eventually("it has begun") { worker.isWorking }
                let rounds = QueueRounds(worker: worker)
                rounds.hold([ListedQueue(id: queue.id, tenant: queue.tenant, isServed: true)])
                await rounds.visit()
                #expect(try await place.released(queue).count == 1)
                #expect(worker.metrics.render().contains("queue_released_total{queue_id=\"\(queue.id)\"} 1\n"))
            }
        }
    }

    @Test("of many queues those that are joined wake within a second, and sleep again; each is let in by the worker that has it")
    func many() async throws {
        try await Workplace.with { place in
            var made: [Queue] = []
            for _ in 0..<300 { made.append(try await place.queue()) }
            let queues = made
            try await place.withWorker { first in
                try await place.withWorker { second in
                    try await place.withWorker { third in
                        let workers = [first, second, third]
                        try await eventually("they share them evenly") {
                            let counts = workers.map(\.lookedAfter.count)
                            return counts.reduce(0, +) == 300 && counts.max()! - counts.min()! <= 10
                        }
                        #expect(workers.reduce(into: Set()) { $0.formUnion($1.lookedAfter) } == Set(queues.map(\.id)))
                        try await eventually("all are asleep") { workers.allSatisfy(\.awake.isEmpty) }
                        let joined = queues.prefix(20)
                        for queue in joined { try await place.join(queue, people: 2) }
                        try await eventually("their people are let in", within: .seconds(10)) {
                            for queue in joined where try await place.released(queue).count < 2 { return false }
                            return true
                        }
                        #expect(workers.reduce(into: Set()) { $0.formUnion($1.awake) }.isSubset(of: Set(joined.map(\.id))))
                        try await eventually("all are asleep again") { workers.allSatisfy(\.awake.isEmpty) }
                    }
                }
            }
        }
    }

    @Test("a queue that is made while a worker works is its own at once")
    func new() async throws {
        try await Workplace.with { place in
            try await place.withWorker { worker in
                let queue = try await place.queue()
                try await eventually("it has it", within: .seconds(2)) { worker.lookedAfter == [queue.id] }
            }
        }
    }

    @Test("a changed rate takes effect for those already waiting")
    func changedRate() async throws {
        try await Workplace.with { place in
            var queue = try await place.queue(rate: 0)
            try await place.join(queue, people: 3)
            let waiting = queue
            try await place.withWorker { worker in
                try await eventually("it has it, with three waiting") {
                    worker.metrics.render().contains("queue_size{queue_id=\"\(waiting.id)\"} 3\n")
                }
            }
            #expect(try await place.released(queue).isEmpty)
            queue.ratePerMinute = 6000
            let faster = queue
            try await place.withWorker { _ in
                #expect(try await place.queues.update(faster))
                try await eventually("they are let in") { try await place.released(faster).count == 3 }
            }
        }
    }

    @Test("the silent are given up and counted")
    func silent() async throws {
        try await Workplace.with { place in
            var queue = try await place.queue(rate: 0)
            queue.waitTTLSeconds = 1
            #expect(try await place.queues.update(queue))
            try await place.join(queue, people: 2)
            let swept = queue
            try await place.withWorker { worker in
                try await eventually("both are given up") {
                    try await place.queues.list(swept.id, states: [.expired], skip: 0, limit: 10).count == 2
                }
                try await eventually("they are counted") { worker.exported("queue_users_expired_total") == "2" }
            }
        }
    }

    @Test("memory that is full does not stop the draining, by a worker that starts then")
    func fullMemory() async throws {
        try await Workplace.with { place in
            let queue = try await place.queue()
            try await place.join(queue, people: 20)
            _ = try await place.redis.send(RedisCommand("CONFIG", "SET", "maxmemory", "1"))
            await #expect(throws: RedisError.self) { try await place.join(queue, people: 1) }
            try await place.withWorker { _ in
                try await eventually("everyone is let in") { try await place.released(queue).count == 20 }
            }
        }
    }

    @Test("every counter of the product exists from the start")
    func counters() {
        let text = ReleaserMetrics(registry: PrometheusRegistry()).render()
        for name in [
            "queue_users_released_total", "queue_users_expired_total", "callback_success_total", "callback_failure_total",
            "callback_duration_seconds_count",
        ] { #expect(text.contains("\n\(name) 0\n")) }
    }
}
