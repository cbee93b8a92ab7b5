import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("claim_callbacks-3.lua, settle_callback-5.lua")
struct CallbackScriptTests {
    private let lease = Duration.seconds(15)

    @Test("a release owes one callback that one worker gets")
    func claimedOnce() async throws {
        try await Line.with { line in
            let joined = try await line.join("v")
            try await line.releaseOne()
            let claims = try await withThrowingTaskGroup(of: [Callback].self) { group in
                for _ in 0..<20 { group.addTask { try await line.callbacks.claim(line.queue.id, limit: 10, lease: lease).callbacks } }
                return try await group.reduce(into: [Callback]()) { $0 += $1 }
            }
            #expect(claims.map(\.entry) == [joined.entry.id])
            #expect(claims.first?.visitor == "v")
            #expect(claims.first?.attempts == 0)
        }
    }

    @Test("a claim that nobody settles comes due again when its lease is over")
    func abandoned() async throws {
        try await Line.with { line in
            try await line.join()
            try await line.releaseOne()
            #expect(try await line.callbacks.claim(line.queue.id, limit: 1, lease: .milliseconds(50)).callbacks.count == 1)
            try await eventually("the callback is due again") {
                try await line.callbacks.claim(line.queue.id, limit: 1, lease: lease).callbacks.count == 1
            }
        }
    }

    @Test("delivered is settled once and leaves nothing behind")
    func delivered() async throws {
        try await Line.with { line in
            try await line.join()
            try await line.releaseOne()
            let callback = try #require(try await line.callbacks.claim(line.queue.id, limit: 1, lease: lease).callbacks.first)
            #expect(try await line.callbacks.settle(callback, tenant: line.tenant.id, .delivered))
            #expect(try await line.callbacks.settle(callback, tenant: line.tenant.id, .delivered) == false)
            #expect(try await line.callbacks.claim(line.queue.id, limit: 1, lease: lease).next == nil)
        }
    }

    @Test("a failed attempt is counted and put off")
    func retry() async throws {
        try await Line.with { line in
            try await line.join()
            try await line.releaseOne()
            let first = try #require(try await line.callbacks.claim(line.queue.id, limit: 1, lease: lease).callbacks.first)
            #expect(try await line.callbacks.settle(first, tenant: line.tenant.id, .retry(delay: .milliseconds(20), error: "HTTP 500")))
            try await eventually("the second attempt is due") {
                let second = try await line.callbacks.claim(line.queue.id, limit: 1, lease: lease).callbacks.first
                return second?.attempts == 1
            }
        }
    }

    @Test("one that is given up is kept as a dead letter with all that is needed to send it again")
    func dead() async throws {
        try await Line.with { line in
            let joined = try await line.join("v \"1\"")
            try await line.releaseOne()
            let callback = try #require(try await line.callbacks.claim(line.queue.id, limit: 1, lease: lease).callbacks.first)
            #expect(
                try await line.callbacks.settle(callback, tenant: line.tenant.id, .dead(error: "HTTP 500", status: 500)))
            let letters = try await line.callbacks.deadLetters(of: [line.queue.id], limit: 10)
            let letter = try #require(letters.first)
            #expect(letters.count == 1)
            #expect(letter.callback.entry == joined.entry.id)
            #expect(letter.callback.visitor == "v \"1\"")
            #expect(letter.callback.released == callback.released)
            #expect(letter.callback.attempts == 1)
            #expect(letter.error == "HTTP 500")
            #expect(letter.lastStatus == 500)
            #expect(letter.tenant == line.tenant.id)
        }
    }

    @Test("the webhook id depends on queue, life, entry and sequence, and on nothing else")
    func webhookID() {
        let queue = Identifier.random()
        let entry = Identifier.random()
        func id(sequence: Int64 = 7, epoch: Int32 = 1, attempts: Int = 0) -> String {
            Callback(
                queue: queue, entry: entry, sequence: sequence, visitor: "v", joined: .now(), released: .now(), attempts: attempts
            ).id(epoch: epoch)
        }
        #expect(id() == id(attempts: 3))
        #expect(id() != id(sequence: 8))
        #expect(id() != id(epoch: 2))
        #expect(id().hasPrefix("msg_"))
    }

    @Test("the signature is that of the Standard Webhooks specification's example")
    func signature() throws {
        // The example of the specification's reference libraries.
        let headers = try #require(
            WebhookSignature.headers(
                id: "msg_p5jXN8AQM9LWM0D4loKWxJek", seconds: 1_614_265_330, body: "{\"test\": 2432232314}",
                secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        #expect(headers.last?.value == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }
}
