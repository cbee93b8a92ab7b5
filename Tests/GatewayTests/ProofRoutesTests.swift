import Crypto
import HTTPTypes
import TestSupport
import Testing

@testable import Gateway
@testable import WaitingRoom

@Suite("Joins that have to bring something", .serialized)
struct ProofRoutesTests {
    private static func join(_ office: Office, _ more: [JSON.Member] = []) async throws -> Reply {
        try await office.site.call(
            .post, "/join",
            json: .object([.init("queue_id", .string(office.one.queue.id.description)), .init("visitor_id", "v")] + more),
            headers: [HTTPField.Name("X-API-Key")!: office.one.tenant.apiKey])
    }

    private static func set(_ office: Office, _ change: JSON) async throws {
        _ = try await office.site.expect(200, .put, "/queues/\(office.one.queue.id)", as: office.one.admin, json: change)
    }

    @Test("a challenge is asked for, given, solved once; its difficulty changes live")
    func challenge() async throws {
        try await Office.with { office in
            let path = "/challenge?queue_id=\(office.one.queue.id)"
            let none = try await office.site.expect(200, .get, path)
            #expect(none.json["bits"] == 0 && none.json["challenge"] == .null)
            try await Self.set(office, ["challenge": "proof_of_work", "challenge_bits": 4])
            let required = try await Self.join(office)
            #expect(required.status == 403 && required.code == "challenge_required")

            let given = try await office.site.expect(200, .get, path)
            #expect(given.json["bits"] == 4 && given.json["queue_id"] == .string(office.one.queue.id.description))
            let text = try #require(given.json["challenge"]?.string)
            let challenge = try #require(office.site.room.challenges.verify(text))
            func members(_ solution: String) -> [JSON.Member] { [.init("challenge", .string(text)), .init("solution", .string(solution))] }
            let wrong = try #require((0...).lazy.map { "\($0)" }.first { !challenge.isSolved(by: $0) })
            let right = try #require((0...).lazy.map { "\($0)" }.first { challenge.isSolved(by: $0) })
            #expect(try await Self.join(office, members(wrong)).code == "challenge_failed")
            #expect(try await Self.join(office, [.init("challenge", "forged"), .init("solution", "1")]).code == "challenge_failed")
            let joined = try await Self.join(office, members(right))
            #expect(joined.status == 200)
            // The same again is the same place; when that is over, none.
            #expect(try await Self.join(office, members(right)).json["id"] == joined.json["id"])
            let cancelled = try await office.site.call(.post, "/cancel?token=\(joined.json["token"]?.string ?? "")")
            #expect(cancelled.status == 204)
            let used = try await Self.join(office, members(right))
            #expect(used.code == "challenge_used", "\(used.text)")

            try await Self.set(office, ["challenge_bits": 8])
            #expect(try await Self.join(office, members(right)).code == "challenge_failed")
            // Who has a place already keeps it, whatever is asked for meanwhile.
            try await Self.set(office, ["challenge": "none"])
            let place = try await Self.join(office)
            try await Self.set(office, ["challenge": "proof_of_work"])
            let token = try #require(place.json["token"])
            #expect(try await Self.join(office, [.init("token", token)]).json["id"] == place.json["id"])
            #expect(try await Self.join(office, [.init("token", "x")]).code == "challenge_required")
            for query in ["", "?queue_id=x"] { _ = try await office.site.expect(422, .get, "/challenge\(query)") }
            _ = try await office.site.expect(404, .get, "/challenge?queue_id=\(Identifier.random())")
        }
    }

    @Test("an invitation of the site's, for this queue, opens the door once")
    func invitation() async throws {
        try await Office.with { office in
            try await Self.set(office, ["invitations": "required"])
            #expect(try await Self.join(office).code == "invitation_required")
            func invitation(_ queue: Queue, secret: String) -> [JSON.Member] {
                let claims: JSON = [
                    "queue": .string(queue.id.description), "jti": "guest 1", "exp": .integer(Timestamp.now().milliseconds / 1000 + 60),
                ]
                let signed = Base64URL.encode(Array(#"{"alg":"HS256"}"#.utf8)) + "." + Base64URL.encode(Array(claims.text.utf8))
                let tag = HMAC<SHA256>.authenticationCode(for: Array(signed.utf8), using: SymmetricKey(data: Array(secret.utf8)))
                return [.init("invitation", .string(signed + "." + Base64URL.encode(Array(tag))))]
            }
            #expect(try await Self.join(office, invitation(office.one.queue, secret: office.other.secret)).code == "invitation_refused")
            #expect(try await Self.join(office, invitation(office.other.queue, secret: office.one.secret)).code == "invitation_refused")
            let good = invitation(office.one.queue, secret: office.one.secret)
            let joined = try await Self.join(office, good)
            #expect(joined.status == 200)
            #expect(try await Self.join(office, good).json["id"] == joined.json["id"])
            _ = try await office.site.call(.post, "/cancel?token=\(joined.json["token"]?.string ?? "")")
            let used = try await Self.join(office, good)
            #expect(used.code == "invitation_used", "\(used.text)")
            // By name nobody gets around it but the desk.
            let slugs = "/api/\(office.one.tenant.slug)/\(office.one.queue.slug)/join"
            let named = try await office.site.call(.post, slugs, json: ["name": "Ann"])
            #expect(named.status == 403 && named.code == "join_elsewhere")
        }
    }
}
