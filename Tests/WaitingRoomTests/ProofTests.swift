import Crypto
import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("What a join has to prove: Challenge, Invitation, redeem.lua")
struct ProofTests {
    private static let secret = SecretKey(String(repeating: "k", count: 32))!

    private static func solve(_ challenge: Challenge) -> String {
        (0...).lazy.map(String.init).first { challenge.isSolved(by: $0) }!
    }

    private static func invitation(
        _ queue: Queue, _ name: String = "one", uses: JSON? = nil, expires: Int64 = 60, header: String = #"{"alg":"HS256","typ":"JWT"}"#,
        secret: String = "shared"
    ) -> String {
        var claims: [JSON.Member] = [
            .init("queue", .string(queue.id.description)), .init("jti", .string(name)),
            .init("exp", .integer(Timestamp.now().milliseconds / 1000 + expires)),
        ]
        if let uses { claims.append(.init("uses", uses)) }
        let signed = Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(Array(JSON.object(claims).text.utf8))
        let key = SymmetricKey(data: Array(secret.utf8))
        return signed + "." + Base64URL.encode(Array(HMAC<SHA256>.authenticationCode(for: Array(signed.utf8), using: key)))
    }

    @Test("a challenge is known again, its solution counted by zero bits, and none but ours is one")
    func challenge() throws {
        let challenges = Challenges(Self.secret)
        let queue = Identifier.random()
        let given = challenges.issue(for: queue, bits: 10)
        #expect(challenges.verify(given.text) == given)
        #expect(given.queue == queue && given.bits == 10 && given.expires > .now().adding(seconds: Challenges.life - 2))
        let solution = Self.solve(given)
        let hash = Array(SHA256.hash(data: Array("\(given.text):\(solution)".utf8)))
        #expect(hash[0] == 0 && hash[1] < 64)
        #expect((0..<100).count { given.isSolved(by: "wrong \($0)") } < 5)
        #expect(challenges.issue(for: queue, bits: 10).id != given.id)
        #expect(Challenges(SecretKey(String(repeating: "x", count: 32))!).verify(given.text) == nil)
        for text in ["", "x", String(given.text.dropLast()), given.text + "A", "B" + given.text.dropFirst()] {
            #expect(challenges.verify(text) == nil)
        }
        let rotated = SecretKey(String(repeating: "n", count: 32) + "," + String(repeating: "k", count: 32))!
        #expect(Challenges(rotated).verify(given.text) == given)
    }

    @Test("an invitation is what the application signed, for as long as it says and as many uses")
    func invitations() async throws {
        try await Line.with { line in
            let read = { (text: String) in Invitation(text, secrets: ["shared", "old"]) }
            let good = try #require(read(Self.invitation(line.queue)))
            #expect(good.queue == line.queue.id && good.uses == 1)
            #expect(read(Self.invitation(line.queue, "other"))?.id != good.id)
            #expect(read(Self.invitation(line.queue, uses: 500))?.uses == 500)
            #expect(read(Self.invitation(line.queue, secret: "old")) != nil)
            let wrong = [
                "", "a.b.c", "..", Self.invitation(line.queue, secret: "forged"), Self.invitation(line.queue, expires: -1),
                Self.invitation(line.queue, uses: 0), Self.invitation(line.queue, uses: "many"), Self.invitation(line.queue, ""),
                Self.invitation(line.queue, header: #"{"alg":"none"}"#), Self.invitation(line.queue, header: #"{"alg":"HS512"}"#),
                Self.invitation(line.queue) + "x", String(repeating: "a", count: 3000),
            ]
            for text in wrong { #expect(read(text) == nil, "\(text)") }
        }
    }

    private static func join(
        _ line: Line, _ visitor: String, invitation: Invitation? = nil, challenge: Challenge? = nil, key: String? = nil
    ) async throws -> Queues.Joined? {
        var request = Queues.JoinRequest(queue: line.queue, visitor: visitor)
        request.invitation = invitation
        request.challenge = challenge
        request.idempotencyKey = key
        return try await line.queues.join(request)
    }

    @Test("a challenge is good for one place: again it gives the same while that waits, and then none, whoever asks at once")
    func oneChallenge() async throws {
        try await Line.with { line in
            let challenge = Challenges(Self.secret).issue(for: line.queue.id, bits: 1)
            let joined = try await withThrowingTaskGroup(of: Identifier?.self) { group in
                for index in 0..<20 { group.addTask { try await Self.join(line, "v\(index)", challenge: challenge)?.entry.id } }
                return try await group.reduce(into: Set<Identifier?>()) { $0.insert($1) }
            }
            #expect(joined.count == 1)
            #expect(try await line.statistics().total.joined == 1)
            // With another proof of its own it is somebody else's.
            await #expect(throws: Queues.Refusal.usedChallenge) { _ = try await Self.join(line, "x", challenge: challenge, key: "other") }
            let entry = try #require(try await line.releaseOne().people.first?.entry)
            // Who is inside, and has not heard of it, hears of it now; when the session is over there is no other place.
            let inside = try await Self.join(line, "v", challenge: challenge)
            #expect(inside?.entry.id == entry && inside?.entry.state == .released && inside?.isNew == false)
            try await line.queues.revokePass(of: entry, in: line.queue.id)
            await #expect(throws: Queues.Refusal.usedChallenge) { _ = try await Self.join(line, "v", challenge: challenge) }
            #expect(try await Self.join(line, "v", challenge: Challenges(Self.secret).issue(for: line.queue.id, bits: 1)) != nil)
        }
    }

    @Test("a repeated join with its key brings the same challenge or a new one, and keeps its place")
    func challengeAndKey() async throws {
        try await Line.with { line in
            let challenges = Challenges(Self.secret)
            let first = challenges.issue(for: line.queue.id, bits: 1)
            let place = try await Self.join(line, "v", challenge: first, key: "mine")?.entry.id
            for challenge in [first, challenges.issue(for: line.queue.id, bits: 1)] {
                #expect(try await Self.join(line, "v", challenge: challenge, key: "mine")?.entry.id == place)
            }
        }
    }

    @Test("an invitation is good for as many places as it says; one for a single place gives the same on every device")
    func uses() async throws {
        try await Line.with { line in
            func invitation(_ name: String, _ uses: Int) throws -> Invitation {
                try #require(Invitation(Self.invitation(line.queue, name, uses: .integer(uses)), secrets: ["shared"]))
            }
            let single = try invitation("single", 1)
            let place = try await Self.join(line, "phone", invitation: single, key: "a")?.entry.id
            #expect(try await Self.join(line, "laptop", invitation: single, key: "b")?.entry.id == place)
            let many = try invitation("many", 3)
            let places = try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 0..<10 {
                    group.addTask {
                        do { return try await Self.join(line, "v\(index)", invitation: many) != nil } catch is Queues.Refusal {
                            return false
                        }
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(places == 3)
            let entry = try #require(try await line.releaseOne().people.first?.entry)
            try await line.queues.revokePass(of: entry, in: line.queue.id)
            await #expect(throws: Queues.Refusal.usedInvitation) { _ = try await Self.join(line, "phone", invitation: single) }
            let left = try await line.redis.send(RedisCommand("PTTL", .string(line.keys.redeemed(many.id)))).integer ?? 0
            // Some time longer, in case a gateway's clock is slow.
            #expect(left > 3_600_000 && left <= 3_660_000)
        }
    }

    @Test("without anything good there is no new place, but the one that is there stays")
    func lacking() async throws {
        try await Line.with { line in
            func join(_ key: String?, token: String? = nil) async throws -> Queues.Joined? {
                var request = Queues.JoinRequest(queue: line.queue, visitor: "v")
                request.idempotencyKey = key
                request.ticket = token.flatMap { line.queues.signer.verify($0) }
                request.lacksProof = true
                return try await line.queues.join(request)
            }
            let place = try await line.join(key: "mine")
            #expect(try await join("mine")?.entry.id == place.entry.id)
            #expect(try await join(nil, token: place.token)?.entry.id == place.entry.id)
            await #expect(throws: Queues.Refusal.lacksProof) { _ = try await join("other") }
            _ = try await line.releaseOne()
            #expect(try await join("mine")?.entry.state == .released)
            try await line.queues.revokePass(of: place.entry.id, in: line.queue.id)
            await #expect(throws: Queues.Refusal.lacksProof) { _ = try await join("mine") }
            #expect(try await line.statistics().total.joined == 1)
        }
    }

    @Test("an invitation for several that is used up leaves them their places")
    func usedUp() async throws {
        try await Line.with { line in
            let invitation = try #require(Invitation(Self.invitation(line.queue, uses: 2), secrets: ["shared"]))
            let first = try #require(try await Self.join(line, "a", invitation: invitation))
            _ = try await Self.join(line, "b", invitation: invitation)
            var again = Queues.JoinRequest(queue: line.queue, visitor: "a")
            again.invitation = invitation
            again.ticket = try line.ticket(first)
            #expect(try await line.queues.join(again)?.entry.id == first.entry.id)
        }
    }

    @Test("where no place is given the invitation stays good")
    func closed() async throws {
        try await Line.with { line in
            var queue = line.queue
            queue.state = .closed
            #expect(try await line.queues.update(queue, from: line.queue))
            let invitation = try #require(Invitation(Self.invitation(line.queue), secrets: ["shared"]))
            #expect(try await Self.join(line, "v", invitation: invitation) == nil)
            queue.state = .open
            #expect(try await line.queues.update(queue))
            #expect(try await Self.join(line, "v", invitation: invitation) != nil)
        }
    }
}
