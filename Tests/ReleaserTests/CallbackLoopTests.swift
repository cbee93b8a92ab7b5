import HTTPTypes
import Hummingbird
import Redis
import TestSupport
import Testing
import WaitingRoom

@testable import Releaser

@Suite("CallbackLoop")
struct CallbackLoopTests {
    @Test("a callback that a dead worker had claimed is sent by another when the lease is over, under the same id")
    func inherited() async throws {
        let ids = Locked<[String]>([])
        try await withWebsite(answer: answer(ids)) { port in
            try await Workplace.with(callbackURL: "http://127.0.0.1:\(port)/") { place in
                let queue = try await place.queue()
                try await place.join(queue, people: 1)
                #expect(try await place.queues.release(queue.id).people.count == 1)
                let claim = try await Callbacks(redis: place.redis).claim(queue.id, limit: 1, lease: .milliseconds(700))
                let owed = try #require(claim.callbacks.first)
                try await place.withWorker { worker in
                    try await eventually("it is sent") { ids.get().count == 1 }
                    #expect(ids.get() == [owed.id(epoch: queue.epoch)])
                    try await eventually("nothing is owed") { worker.exported("callbacks_owed") == "0" }
                    try await eventually("it is counted") { worker.exported("callback_success_total") == "1" }
                }
            }
        }
    }

    @Test("an answer of 410 is a dead letter after one attempt")
    func gone() async throws {
        let ids = Locked<[String]>([])
        try await withWebsite(answer: answer(ids, .gone)) { port in
            try await Workplace.with(callbackURL: "http://127.0.0.1:\(port)/") { place in
                let queue = try await place.queue()
                try await place.join(queue, people: 1)
                try await place.withWorker { worker in
                    try await eventually("it is given up") { try await place.deadLetters(queue).first?.error == "HTTP 410" }
                    #expect(ids.get().count == 1)
                    #expect(worker.exported("callback_failure_total") == "1")
                    #expect(worker.exported("callback_dead_letters_total") == "1")
                }
            }
        }
    }

    @Test("an internal address is not called where that is not allowed, and says so in the dead letter")
    func internalAddress() async throws {
        let ids = Locked<[String]>([])
        try await withWebsite(answer: answer(ids)) { port in
            try await Workplace.with(callbackURL: "http://localhost:\(port)/") { place in
                let queue = try await place.queue()
                try await place.join(queue, people: 1)
                try await place.withWorker(["CALLBACK_ALLOW_PRIVATE": "false", "CALLBACK_MAX_ATTEMPTS": "1"]) { _ in
                    try await eventually("it is given up") {
                        try await place.deadLetters(queue).first?.error == "the address is not a public one (CALLBACK_ALLOW_PRIVATE)"
                    }
                }
                #expect(ids.get().isEmpty)
            }
        }
    }

    @Test("a secret sealed under another SECRET_KEY: a dead letter, not silence")
    func lostSecret() async throws {
        try await Workplace.with(callbackURL: "http://127.0.0.1:1/") { place in
            let queue = try await place.queue()
            try await place.join(queue, people: 1)
            try await place.withWorker(["SECRET_KEY": String(repeating: "x", count: 32)]) { _ in
                try await eventually("it is given up") { try await place.deadLetters(queue).first?.error.contains("SECRET_KEY") == true }
            }
        }
    }

    @Test("a tenant without an address owes nothing")
    func noAddress() async throws {
        try await Workplace.with { place in
            let queue = try await place.queue()
            try await place.join(queue, people: 3)
            try await place.withWorker { worker in
                try await eventually("everyone is let in") { try await place.released(queue).count == 3 }
                try await eventually("nothing is owed") { worker.exported("callbacks_owed") == "0" }
                #expect(worker.exported("callback_failure_total") == "0")
            }
            #expect(try await place.deadLetters(queue).isEmpty)
        }
    }

    @Test("what is owed when an application is switched off is still owed when it is on again")
    func switchedOff() async throws {
        let ids = Locked<[String]>([])
        try await withWebsite(answer: answer(ids)) { port in
            try await Workplace.with(callbackURL: "http://127.0.0.1:\(port)/") { place in
                let queue = try await place.queue()
                try await place.join(queue, people: 1)
                #expect(try await place.queues.release(queue.id).people.count == 1)
                var off = place.tenant
                off.isActive = false
                #expect(try await place.tenants.update(off))
                try await place.withWorker { worker in
                    try await eventually("it has begun") { worker.isWorking }
                    // As long as a worker that has the queue does not know better.
                    let loop = CallbackLoop(worker: worker, queue: queue.id, tenant: queue.tenant, owed: Signal())
                    let running = Task { await loop.run() }
                    try await eventually("it is claimed, and left") {
                        let due = RedisCommand("ZCOUNT", .string(queue.keys.outbox), "-inf", .integer(Timestamp.now().milliseconds))
                        return try await place.redis.send(due).integer == 0 && worker.slots.underWay == 0
                    }
                    running.cancel()
                    await running.value
                    #expect(try await Callbacks(redis: place.redis).owed(by: [queue.id]) == 1)
                    #expect(ids.get().isEmpty)
                }
            }
        }
    }

    @Test("a worker that is shut down finishes the attempt under way")
    func finished() async throws {
        let (begun, done) = (Locked(false), Locked(false))
        try await withWebsite { _ in
            begun.set(true)
            try await eventually("the worker is on its way out") { done.get() }
            return Response(status: .ok)
        } _: { port in
            try await Workplace.with(callbackURL: "http://127.0.0.1:\(port)/") { place in
                let queue = try await place.queue()
                try await place.join(queue, people: 1)
                try await place.withWorker { _ in
                    try await eventually("the website is called") { begun.get() }
                    Task {
                        try await eventually("the locks are given back") {
                            try await place.redis.send(RedisCommand("EXISTS", .string(CatalogueKeys.workers))).integer == 0
                        }
                        done.set(true)
                    }
                }
                #expect(try await Callbacks(redis: place.redis).owed(by: [queue.id]) == 0)
            }
        }
    }

    private func answer(_ ids: Locked<[String]>, _ status: HTTPResponse.Status = .ok) -> @Sendable (Request) async throws -> Response {
        { request in
            ids.update { $0.append(HTTPField.Name("webhook-id").flatMap { request.headers[$0] } ?? "none") }
            return Response(status: status)
        }
    }
}
