import Foundation
import HTTPTypes
import Observability
import Redis
import TestSupport
import Testing
import WaitingRoom

@testable import Gateway

@Suite("POST /join")
struct JoinRoutesTests {
    private static let entryKeys = [
        "queue_id", "visitor_id", "status", "redirect_url", "wait_time", "expires_at", "id", "token", "created_at", "position",
        "eta_seconds",
        "queue_length", "poll_after_ms",
    ]

    @Test("answers the entry, its keys in the contract's order, the first time and on the hot path")
    func joins() async throws {
        try await withGateway { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant, rate: 30)
            for position in 1...3 {
                let answer = try await site.join(queue, of: tenant, visitor: "v\(position)")
                #expect(answer.status == 200)
                let keys = Self.entryKeys + ["eta_low_seconds", "eta_high_seconds", "max_users_per_minute"]
                #expect(try answer.keys == keys)
                let json = try answer.json
                #expect(json["status"] == "waiting")
                #expect(json["position"] == .integer(position))
                #expect(json["queue_length"] == .integer(position))
                #expect(json["eta_seconds"] == .integer(2 * position))
                #expect(json["visitor_id"]?.string == "v\(position)")
                #expect(json["redirect_url"] == .null && json["wait_time"] == .null)
                #expect(answer.headers[.requestID]?.count == 16)
                #expect(answer.headers[.accessControlAllowOrigin] == "*")
                #expect(answer.headers[.date] != nil)
            }
            #expect(site.room.metrics.registry.render().contains("queue_joins_total{queue_id=\"\(queue.id)\"} 3"))
        }
    }

    @Test("a closed queue says so, on the hot path too")
    func closed() async throws {
        try await withGateway { site in
            let (tenant, _) = try await site.application()
            var queue = try await site.queue(of: tenant)
            _ = try await site.join(queue, of: tenant)
            queue.state = .closed
            _ = try await site.room.queues.update(queue)
            for _ in 1...2 {
                let answer = try await site.join(queue, of: tenant, visitor: "late")
                #expect(answer.status == 409)
                #expect(try answer.json["code"] == "queue_closed")
            }
        }
    }

    @Test("accepts the key in all three spellings of its header", arguments: ["X-API-Key", "app-api-key", "app_api_key"])
    func keyHeaders(name: String) async throws {
        try await withGateway { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant)
            for _ in 1...2 {
                let answer = try await site.post(
                    "/join", ["queue_id": .string(queue.id.description), "visitor_id": "v"], headers: [HTTPField.Name(name)!: tenant.apiKey]
                )
                #expect(answer.status == 200)
            }
        }
    }

    @Test("refuses a missing, wrong, secret, rotated and inactive key with 401, but a bad body first")
    func keys() async throws {
        try await withGateway { site in
            let (tenant, secretKey) = try await site.application()
            let queue = try await site.queue(of: tenant)
            let body: JSON = ["queue_id": .string(queue.id.description), "visitor_id": "v"]
            let apiKey = HTTPField.Name("X-API-Key")!
            let missing = try await site.post("/join", body)
            #expect(missing.status == 401)
            #expect(try missing.json["detail"] == "Missing app_api_key")
            for wrong in ["", "x", "pk_", tenant.apiKey + "A", String(tenant.apiKey.dropLast()), secretKey] {
                let answer = try await site.post("/join", body, headers: [apiKey: wrong])
                #expect(answer.status == 401)
                #expect(try answer.json["detail"] == "Invalid app_api_key")
            }
            #expect(try await site.post("/join", ["visitor_id": "v"]).status == 422)
            #expect(try await site.post("/join", body, headers: [apiKey: tenant.apiKey]).status == 200)

            _ = try await site.room.tenants.rotateKeys(of: tenant, graceSeconds: 0)
            #expect(try await site.post("/join", body, headers: [apiKey: tenant.apiKey]).status == 401)
            var inactive = try #require(try await site.room.tenants.get(tenant.id))
            inactive.isActive = false
            #expect(try await site.room.tenants.update(inactive))
            #expect(try await site.post("/join", body, headers: [apiKey: inactive.apiKey]).status == 401)
        }
    }

    @Test("does not know another application's, an inactive, a deleted or a made-up queue")
    func queues() async throws {
        try await withGateway { site in
            let (tenant, _) = try await site.application()
            let (other, _) = try await site.application(name: "Other")
            let queue = try await site.queue(of: tenant)
            #expect(try await site.join(queue, of: other).status == 404)
            #expect(try await site.join(queue, of: tenant).status == 200)
            var changed = queue
            changed.isActive = false
            #expect(try await site.room.queues.update(changed))
            let inactive = try await site.join(queue, of: tenant)
            #expect(inactive.status == 404)
            #expect(try inactive.json["code"] == "queue_not_found")
            let missing = try await site.post(
                "/join", ["queue_id": .string(Identifier.random().description), "visitor_id": "v"],
                headers: [HTTPField.Name("X-API-Key")!: tenant.apiKey])
            #expect(missing.status == 404)
        }
    }

    @Test(
        "says what is wrong with a body",
        arguments: [
            ("{}", "missing"), ("{\"queue_id\":\"x\",\"visitor_id\":\"v\"}", "uuid_parsing"),
            ("{\"queue_id\":1,\"visitor_id\":\"v\"}", "string_type"),
            ("{\"queue_id\":null,\"visitor_id\":\"v\"}", "string_type"), ("[]", "model_attributes_type"), ("{", "json_invalid"),
            ("{\"visitor_id\":\"v\",\"visitor_id\":\"w\"}", "json_invalid"), ("", "json_invalid"),
            ("{\"visitor_id\":\"v\",}", "json_invalid"),
            ("{\"queue_id\":\"\(UUID())\",\"visitor_id\":\"\"}", "string_too_short"),
            ("{\"queue_id\":\"\(UUID())\",\"visitor_id\":\"\(String(repeating: "a", count: 65))\"}", "string_too_long"),
            ("{\"queue_id\":\"\(UUID())\",\"visitor_id\":\"a\\u0007\"}", "string_pattern_mismatch"),
            ("{\"queue_id\":\"\(UUID())\",\"visitor_id\":\"a\\u202e\"}", "string_pattern_mismatch"),
        ])
    func badBody(body: String, type: String) async throws {
        try await withGateway { site in
            let answer = try await site.send(.post, "/join", body: body, type: "application/json")
            #expect(answer.status == 422)
            let problem = try #require(try answer.json["detail"]?.array?.first)
            #expect(problem["type"]?.string == type)
            #expect(problem["loc"]?.array?.first == "body")
            #expect(problem["msg"]?.string?.isEmpty == false)
        }
    }

    @Test("refuses another content type, a body over 64 KiB and a bad idempotency key")
    func envelope() async throws {
        try await withGateway { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant)
            #expect(try await site.send(.post, "/join", body: "a=b", type: "application/x-www-form-urlencoded").status == 415)
            let large = try await site.send(.post, "/join", body: String(repeating: "x", count: 70_000), type: "application/json")
            #expect(large.status == 413)
            #expect(try large.json["code"] == "body_too_large")
            for key in ["short", String(repeating: "a", count: 65), "with a space in between"] {
                #expect(try await site.join(queue, of: tenant, headers: [.idempotencyKey: key]).status == 422)
            }
        }
    }

    @Test("a repeated join has one place: by idempotency key, by token, by visitor id with the secret key or where ids are secrets")
    func repeats() async throws {
        try await withGateway { site in
            let (tenant, secretKey) = try await site.application()
            let queue = try await site.queue(of: tenant)
            let key: HTTPFields = [.idempotencyKey: "0123456789abcdef"]
            let first = try await site.join(queue, of: tenant, headers: key).json
            for _ in 1...2 { #expect(try await site.join(queue, of: tenant, headers: key).json["id"] == first["id"]) }
            let again = try await site.post(
                "/join", ["queue_id": .string(queue.id.description), "visitor_id": "v", "token": first["token"]!],
                headers: [HTTPField.Name("X-API-Key")!: tenant.apiKey])
            #expect(try again.json["id"] == first["id"])
            #expect(try await site.join(queue, of: tenant).json["id"] != first["id"])

            let proof: HTTPFields = [.authorization: "Bearer \(secretKey)"]
            let proved = try await site.join(queue, of: tenant, visitor: "member", headers: proof).json
            #expect(try await site.join(queue, of: tenant, visitor: "member", headers: proof).json["id"] == proved["id"])

            let secrets = try await site.queue(of: tenant) { $0.uniqueVisitors = true }
            let one = try await site.join(secrets, of: tenant).json
            for _ in 1...2 { #expect(try await site.join(secrets, of: tenant).json["id"] == one["id"]) }
        }
    }

    @Test("simulation answers ready and stores nothing, with key and queue checked")
    func simulation() async throws {
        try await withGateway { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant)
            let key: HTTPFields = [HTTPField.Name("X-API-Key")!: tenant.apiKey]
            let body: JSON = ["queue_id": .string(queue.id.description), "visitor_id": "v"]
            let answer = try await site.post("/join?mode=simulation", body, headers: key)
            #expect(answer.status == 200)
            #expect(try answer.json["status"] == "ready")
            #expect(try answer.json["wait_time"] == 0)
            #expect(try answer.json["expires_at"]?.string != nil)
            #expect(try await site.room.queues.statistics(of: [queue.id])[0].total.joined == 0)
            #expect(try await site.post("/join?mode=simulation", body).status == 401)
            #expect(try await site.post("/join?mode=other", body, headers: key).status == 422)
        }
    }

    @Test("while Redis is away a join is refused with 503, and goes through afterwards")
    func redisAway() async throws {
        try await withGateway(patience: .milliseconds(500)) { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant)
            #expect(try await site.join(queue, of: tenant).status == 200)
            site.redis.signal(SIGSTOP)
            for _ in 1...2 {
                let answer = try await site.join(queue, of: tenant)
                #expect(answer.status == 503)
                #expect(answer.headers[.retryAfter] != nil)
                #expect(try answer.json["code"] == "unavailable")
            }
            site.redis.signal(SIGCONT)
            try await eventually("joins go through again") { try await site.join(queue, of: tenant).status == 200 }
        }
    }
}
