import HTTPTypes
import Redis
import TestSupport
import Testing
import WaitingRoom

@testable import Gateway

@Suite("GET /queue_status, POST /cancel")
struct StatusRoutesTests {
    @Test("a poll tells the place, moves the end of the wait, and repeats the token")
    func waiting() async throws {
        try await withGateway { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant, rate: 60) { $0.message = "<b>Hello</b>" }
            _ = try await site.join(queue, of: tenant)
            let joined = try await site.join(queue, of: tenant, visitor: "ü").json
            let token = try #require(joined["token"]?.string)
            for _ in 1...3 {
                let answer = try await site.get("/queue_status?token=\(token)")
                #expect(answer.status == 200)
                let json = try answer.json
                for key in ["id", "token", "created_at", "queue_id", "visitor_id"] { #expect(json[key] == joined[key]) }
                #expect(json["status"] == "waiting")
                #expect(json["position"] == 2 && json["queue_length"] == 2)
                #expect(json["message"] == "<b>Hello</b>")
                #expect(try #require(json["expires_at"]?.string) >= joined["expires_at"]!.string!)
            }
        }
    }

    @Test("a released visitor is told so, with wait and address; HEAD works too")
    func released() async throws {
        try await withGateway { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant, rate: 60) { $0.redirectURL = "https://shop.example/in" }
            let token = try #require(try await site.join(queue, of: tenant).json["token"]?.string)
            #expect(try await site.room.queues.release(queue.id).people.count == 1)
            for _ in 1...2 {
                let answer = try await site.get("/queue_status?token=\(token)")
                let json = try answer.json
                #expect(json["status"] == "ready")
                #expect(json["wait_time"] == 0)
                #expect(json["position"] == 0)
                #expect(json["redirect_url"] == "https://shop.example/in")
            }
            let head = try await site.send(.head, "/queue_status?token=\(token)")
            #expect(head.status == 200 && head.text.isEmpty)
        }
    }

    @Test("a token that was not written here, or is of a deleted queue, is not found")
    func unknown() async throws {
        try await withGateway { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant)
            let token = try #require(try await site.join(queue, of: tenant).json["token"]?.string)
            for wrong in ["x", token + "A", String(token.dropLast()), token.uppercased()] {
                let answer = try await site.get("/queue_status?token=\(wrong)")
                #expect(answer.status == 404)
                #expect(try answer.json["detail"] == "Token not found")
            }
            #expect(try await site.get("/queue_status").status == 422)
            #expect(try await site.get("/queue_status?token=").status == 422)
            #expect(try await site.get("/queue_status?token=%FF").status == 422)
            #expect(try await site.room.queues.delete(queue.id, retentionHours: 24))
            #expect(try await site.get("/queue_status?token=\(token)").status == 404)
        }
    }

    @Test(
        "cancel takes the token in the query, a form or JSON; the second time there is nothing to cancel",
        arguments: ["query", "form", "json"])
    func cancel(place: String) async throws {
        try await withGateway { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant)
            let token = try #require(try await site.join(queue, of: tenant).json["token"]?.string)
            func cancel() async throws -> Site.Answer {
                switch place {
                case "query": try await site.send(.post, "/cancel?token=\(token)")
                case "form": try await site.send(.post, "/cancel", body: "token=\(token)", type: "application/x-www-form-urlencoded")
                default: try await site.post("/cancel", ["token": .string(token)])
                }
            }
            let first = try await cancel()
            #expect(first.status == 204 && first.text.isEmpty)
            #expect(try await cancel().status == 404)
            #expect(try await site.get("/queue_status?token=\(token)").json["status"] == "rejected")
        }
    }

    @Test("cancel without a token is 422, with another type 415")
    func badCancel() async throws {
        try await withGateway { site in
            let nothing = try await site.send(.post, "/cancel")
            #expect(nothing.status == 422)
            #expect(try await site.post("/cancel", [:]).status == 422)
            #expect(try await site.send(.post, "/cancel", body: "token", type: "text/plain").status == 415)
        }
    }

    @Test("polls are signs of life: who keeps polling is not given up")
    func signsOfLife() async throws {
        try await withGateway(["RATE_LIMIT": "off"]) { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant) { $0.waitTTLSeconds = 3 }
            let kept = try #require(try await site.join(queue, of: tenant).json["token"]?.string)
            let silent = try #require(try await site.join(queue, of: tenant).json["token"]?.string)
            try await eventually("the silent one is given up") {
                #expect(try await site.get("/queue_status?token=\(kept)").json["status"] == "waiting")
                return try await site.room.queues.sweep(queue, cursor: 0, retentionHours: 1).expired == 1
            }
            #expect(try await site.get("/queue_status?token=\(silent)").json["status"] == "expired")
            #expect(try await site.get("/queue_status?token=\(kept)").json["position"] == 1)
        }
    }
}
