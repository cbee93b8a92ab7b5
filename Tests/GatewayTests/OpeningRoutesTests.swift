import HTTPTypes
import Observability
import TestSupport
import Testing

@testable import Gateway
@testable import WaitingRoom

@Suite("Openings, capacity and states, as visitors see them", .serialized)
struct OpeningRoutesTests {
    private static func join(_ office: Office, _ visitor: String) async throws -> JSON {
        try await office.site.join(office.one.queue, of: office.one.tenant, visitor: visitor).json
    }

    private static func number(_ value: JSON?) -> Int? {
        if case .integer(let number)? = value { Int(number) } else { nil }
    }

    @Test("before an opening that draws lots nobody is told a place, but when it will be; afterwards anybody can check the lots")
    func opening() async throws {
        try await Office.with { office in
            let path = "/queues/\(office.one.queue.id)"
            let opensAt = Timestamp.now().adding(seconds: 3)
            _ = try await office.site.expect(200, .put, path, as: office.one.admin, json: ["opens_at": .string(opensAt.rfc3339)])
            let before = try await office.site.expect(200, .get, "\(path)/shuffle")
            #expect(before.json["seed"] == .null && before.json["count"] == 0)
            var tokens: [String] = []
            for index in 0..<5 {
                let joined = try await Self.join(office, "v\(index)")
                #expect(joined["position"] == 0 && joined["status"] == "waiting" && joined["phase"] == "pre_queue")
                #expect((1...5).contains(try #require(Self.number(joined["queue_length"]))))
                #expect(joined["opens_at"] == .string(opensAt.rfc3339))
                let eta = try #require(Self.number(joined["eta_seconds"]))
                #expect((1...3).contains(eta))
                #expect(joined["eta_high_seconds"] == .null)
                tokens.append(try #require(joined["token"]?.string))
            }
            try await Task.sleep(for: .milliseconds(3100))
            var places: [JSON] = []
            for token in tokens {
                let status = try await office.site.expect(200, .get, "/queue_status?token=\(token)").json
                #expect(status["phase"] == nil && status["opens_at"] == nil)
                places.append(status["position"] ?? .null)
            }
            #expect(places.compactMap(Self.number).sorted() == [1, 2, 3, 4, 5])
            let after = try await office.site.expect(200, .get, "\(path)/shuffle")
            #expect(after.json["commitment"] == before.json["commitment"] && after.json["count"] == 5)
            #expect(after.json["seed"]?.string?.count == 43)
            #expect(try await office.site.call(.get, "/queues/\(Identifier.random())/shuffle").status == 404)
        }
    }

    @Test("in a paused queue and a full one the phase says why the line does not move")
    func phases() async throws {
        try await Office.with { office in
            let path = "/queues/\(office.one.queue.id)"
            let first = try await Self.join(office, "a")
            let second = try await Self.join(office, "b")
            _ = try await office.site.expect(200, .put, path, as: office.one.admin, json: ["state": "paused"])
            func status(_ joined: JSON) async throws -> JSON {
                try await Task.sleep(for: .milliseconds(200))
                return try await office.site.expect(200, .get, "/queue_status?token=\(joined["token"]?.string ?? "")").json
            }
            try await eventually("it is paused") { try await status(first)["phase"] == "paused" }
            #expect(try await status(first)["eta_seconds"] == .null)
            let change: JSON = ["state": "open", "max_active_users": 1]
            _ = try await office.site.expect(200, .put, path, as: office.one.admin, json: change)
            #expect(try await office.site.room.queues.release(office.one.queue.id).people.count == 1)
            try await eventually("it is full") { try await status(second)["phase"] == "full" }
            // The session ends by the site's word, and somebody may go again.
            let id = first["id"]?.string ?? ""
            #expect(try await office.site.call(.post, "/sessions/\(id)/end").status == 401)
            #expect(try await office.site.call(.post, "/sessions/\(id)/end", as: office.other.secret).status == 404)
            _ = try await office.site.expect(204, .post, "/sessions/\(id)/end", as: office.one.secret)
            let waiting = second["id"]?.string ?? ""
            #expect(try await office.site.call(.post, "/sessions/\(waiting)/end", as: office.one.secret).status == 404)
            // One who drew a lot has a record, and waits all the same.
            let opening: JSON = ["opens_at": .string(Timestamp.now().adding(seconds: 3600).rfc3339)]
            _ = try await office.site.expect(200, .put, path, as: office.one.admin, json: opening)
            let drawn = try await Self.join(office, "c")["id"]?.string ?? ""
            #expect(try await office.site.call(.post, "/sessions/\(drawn)/end", as: office.one.secret).status == 404)
            let revoke = try await office.site.call(.post, "/passes/revoke", as: office.one.secret, json: ["entry_id": .string(drawn)])
            #expect(revoke.status == 404)
            _ = try await office.site.expect(200, .put, path, as: office.one.admin, json: ["opens_at": .null])
            try await eventually("it moves") { try await status(second)["phase"] == nil }
        }
    }

    @Test("passed through, a join is ready at once with its pass and its address; it is counted")
    func passthrough() async throws {
        try await Office.with { office in
            let path = "/queues/\(office.one.queue.id)"
            _ = try await office.site.expect(
                200, .put, path, as: office.one.admin,
                json: ["state": "passthrough", "redirect_url": "https://shop.example/in", "max_users_per_minute": 0])
            for index in 0..<4 {
                let joined = try await Self.join(office, "v\(index)")
                #expect(joined["status"] == "ready" && joined["redirect_url"] == "https://shop.example/in")
                #expect(joined["pass"]?.string?.split(separator: ".").count == 3)
                #expect(joined["poll_after_ms"] == 0 && joined["wait_time"] == 0)
            }
            let metrics = office.site.room.metrics.registry.render()
            #expect(metrics.contains("queue_released_at_once_total{queue_id=\"\(office.one.queue.id)\"} 4"))
            #expect(metrics.contains("\nqueue_users_released_total 4\n"))
        }
    }
}
