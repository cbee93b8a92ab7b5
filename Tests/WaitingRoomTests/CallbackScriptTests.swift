import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("claim_callbacks-4.lua, settle_callback-7.lua, list_callbacks-7.lua, resend_callbacks-6.lua")
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

    @Test("one that was put off before the clock went back is due now")
    func clockWentBack() async throws {
        try await Line.with { line in
            try await line.join()
            try await line.releaseOne()
            #expect(try await line.callbacks.claim(line.queue.id, limit: 1, lease: .seconds(3600)).callbacks.count == 1)
            #expect(try await line.callbacks.claim(line.queue.id, limit: 1, lease: lease).callbacks.count == 1)
            #expect(try await line.callbacks.claim(line.queue.id, limit: 1, lease: lease).callbacks.isEmpty)
        }
    }

    @Test("a claim tells the time by Redis's clock")
    func time() async throws {
        try await Line.with { line in
            let claimed = try await line.callbacks.claim(line.queue.id, limit: 1, lease: lease).at
            let now = try #require(try await line.redis.send(RedisCommand("TIME")).array?.first?.integer)
            #expect(abs(claimed.milliseconds / 1000 - now) <= 5)
        }
    }

    @Test("delivered is settled once and leaves nothing behind")
    func delivered() async throws {
        try await Line.with { line in
            try await line.join()
            try await line.releaseOne()
            let callback = try #require(try await line.callbacks.claim(line.queue.id, limit: 1, lease: lease).callbacks.first)
            #expect(try await line.callbacks.settle(callback, tenant: line.tenant.id, .delivered(status: 200)))
            #expect(try await line.callbacks.settle(callback, tenant: line.tenant.id, .delivered(status: 200)) == false)
            #expect(try await line.callbacks.claim(line.queue.id, limit: 1, lease: lease).next == nil)
        }
    }

    @Test("a failed attempt is counted and put off")
    func retry() async throws {
        try await Line.with { line in
            try await line.join()
            try await line.releaseOne()
            let first = try #require(try await line.callbacks.claim(line.queue.id, limit: 1, lease: lease).callbacks.first)
            #expect(
                try await line.callbacks.settle(
                    first, tenant: line.tenant.id, .retry(delay: .milliseconds(20), error: "HTTP 500", status: 500)))
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

    @Test("each is in one list, with what became of it")
    func lists() async throws {
        try await Line.with { line in
            func listed(_ state: CallbackStatus.State) async throws -> [Callbacks.Listed] {
                try await line.callbacks.list(line.queue.id, state, limit: 10)
            }
            var people: [Identifier] = []
            for name in ["a", "b", "c", "d"] {
                people.append(try await line.join(name).entry.id)
                try await line.releaseOne()
            }
            let due = try await line.callbacks.claim(line.queue.id, limit: 10, lease: lease).callbacks
            for (callback, outcome) in zip(
                due,
                [
                    .delivered(status: 204), .retry(delay: .seconds(60), error: "HTTP 503", status: 503),
                    .dead(error: "HTTP 410", status: 410),
                ] as [Callbacks.Outcome])
            {
                #expect(try await line.callbacks.settle(callback, tenant: line.tenant.id, outcome))
            }
            let delivered = try await listed(.delivered)
            #expect(delivered.map(\.entry) == [people[0]])
            #expect(delivered.first?.status.lastStatus == 204 && delivered.first?.status.attempts == 1)
            #expect(delivered.first?.released == due[0].released)
            let pending = try await listed(.pending)
            #expect(pending.map(\.entry) == [people[3], people[1]])
            #expect(pending.last?.status.lastError == "HTTP 503" && pending.last?.status.attempts == 1)
            #expect(pending.first?.status.lastError == nil && pending.first?.status.attempts == 0)
            let dead = try await listed(.dead)
            #expect(dead.map(\.entry) == [people[2]])
            #expect(dead.first?.status.lastStatus == 410 && dead.first?.released == due[2].released)
        }
    }

    @Test("one that is sent again begins from the first attempt, also when its person is forgotten")
    func resend() async throws {
        try await Line.with { line in
            let person = try await line.join("v").entry.id
            try await line.releaseOne()
            let first = try #require(try await line.callbacks.claim(line.queue.id, limit: 1, lease: lease).callbacks.first)
            #expect(try await line.callbacks.settle(first, tenant: line.tenant.id, .dead(error: "HTTP 500", status: 500)))
            _ = try await line.redis.send(RedisCommand("HDEL", .string(line.keys.entries), .string(person.compact)))
            #expect(try await line.callbacks.resendDeadLetters(of: line.queue.id) == 1)
            #expect(try await line.callbacks.deadLetters(of: [line.queue.id], limit: 10).isEmpty)
            let second = try #require(try await line.callbacks.claim(line.queue.id, limit: 1, lease: lease).callbacks.first)
            #expect(second == first)
            // There is no address any more: the letter is not lost.
            #expect(try await line.callbacks.settle(second, tenant: line.tenant.id, .dropped))
            #expect(try await line.callbacks.deadLetters(of: [line.queue.id], limit: 10).map(\.callback.entry) == [person])
            #expect(try await line.callbacks.resend([person, .random()], of: line.queue.id) == 1)
            let third = try #require(try await line.callbacks.claim(line.queue.id, limit: 1, lease: lease).callbacks.first)
            #expect(try await line.callbacks.settle(third, tenant: line.tenant.id, .delivered(status: 200)))
            #expect(try await line.redis.send(RedisCommand("HLEN", .string(line.keys.deadLetters))).integer == 0)
            #expect(try await line.redis.send(RedisCommand("HLEN", .string(line.keys.deliveries))).integer == 0)
            #expect(try await line.callbacks.resend([person], of: line.queue.id) == 0)
        }
    }

    @Test("the webhook id names queue, life, entry and the day of joining, and nothing else")
    func webhookID() throws {
        let queue = Identifier.random()
        let entry = Identifier.random()
        let joined = Timestamp.now()
        func id(sequence: Int64 = 7, epoch: Int32 = 1, attempts: Int = 0, joined: Timestamp = joined) -> String {
            Callback(
                queue: queue, entry: entry, sequence: sequence, visitor: "v", joined: joined, released: .now(), attempts: attempts
            ).id(epoch: epoch)
        }
        #expect(id() == id(sequence: 8, attempts: 3))
        #expect(id() != id(epoch: 2))
        #expect(id() != id(joined: joined.adding(seconds: 86_400)))
        #expect(CallbackID(id(epoch: -3)) == CallbackID(queue: queue, entry: entry, joined: joined, epoch: -3))
        for text in ["", "msg_", id() + "A", String(id().dropLast()), "MSG_" + id().dropFirst(4)] { #expect(CallbackID(text) == nil) }
    }

    @Test("the signature is that of the Standard Webhooks specification's example")
    func signature() throws {
        // The example of the specification's reference libraries.
        let headers = try #require(
            WebhookSignature.headers(
                id: "msg_p5jXN8AQM9LWM0D4loKWxJek", seconds: 1_614_265_330, body: "{\"test\": 2432232314}",
                secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]))
        #expect(headers.last?.value == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        #expect(WebhookSignature.headers(id: "msg_1", seconds: 1, body: "{}", secrets: []) == nil)
    }

    @Test("while keys are rotated a callback is signed with both, and afterwards with the new one")
    func rotation() async throws {
        try await Line.with { line in
            let (graced, key) = try #require(try await line.tenants.rotateKeys(of: line.tenant, graceSeconds: 60))
            let secrets = line.tenants.signingSecrets(of: graced)
            #expect(secrets.count == 2 && secrets.first == key)
            #expect(secrets.last == line.tenants.signingSecrets(of: line.tenant).first)
            let value = WebhookSignature.headers(id: "msg_1", seconds: 1, body: "{}", secrets: secrets)?.last?.value
            #expect(value?.split(separator: " ").filter { $0.hasPrefix("v1,") }.count == 2)
            let (ended, last) = try #require(try await line.tenants.rotateKeys(of: graced, graceSeconds: 0))
            #expect(line.tenants.signingSecrets(of: ended) == [last])
        }
    }
}
