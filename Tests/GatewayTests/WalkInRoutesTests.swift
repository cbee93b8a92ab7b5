import HTTPTypes
import TestSupport
import Testing
import WaitingRoom

@testable import Gateway

@Suite("Walk-in lines", .serialized)
struct WalkInRoutesTests {
    private func adminKey(_ key: String) -> HTTPFields { [.adminKey: key] }

    /// A queue `acme/support` and its admin key.
    private func withSupport(
        _ more: [JSON.Member] = [], _ body: @Sendable @escaping (Site, String) async throws -> Void
    ) async throws {
        try await withGateway { site in
            let draft = JSON.object([.init("queue_id", "support"), .init("name", "Support Queue")] + more)
            let made = try await site.expect(201, .post, "/api/acme/queues", json: draft)
            try await body(site, try #require(made.json["admin_key"]?.string))
        }
    }

    @Test("the three-command quick start works as it is printed")
    func quickStart() async throws {
        try await withGateway { site in
            let made = try await site.expect(
                201, .post, "/api/acme/queues", json: ["queue_id": "support", "name": "Support Queue"])
            #expect(
                made.json.keys == ["tenant_id", "queue_id", "name", "is_public", "avg_service_time", "admin_key", "created_at"])
            #expect(made.text.contains("\"avg_service_time\":4.0,"))
            let key = try #require(made.json["admin_key"]?.string)

            let joined = try await site.expect(201, .post, "/api/acme/support/join", json: ["name": " Alex Rivera "])
            #expect(joined.json.keys == ["entry", "position", "eta_minutes", "token"])
            #expect(
                joined.json["entry"]?.keys == [
                    "id", "name", "joined_at", "service_type_id", "service_type_name", "service_type_code", "tenant_id", "queue_id",
                    "status",
                ])
            #expect(joined.json["entry"]?["name"] == "Alex Rivera")
            #expect(joined.json["entry"]?["joined_at"]?.string?.hasSuffix("+00:00") == true)
            #expect(joined.json["position"] == 1)
            #expect(joined.text.contains("\"eta_minutes\":4.0"))
            let id = try #require(joined.json["entry"]?["id"]?.string)

            let status = try await site.expect(200, .get, "/api/acme/support/status/\(id)")
            #expect(status.json.keys == ["entry", "position", "eta_minutes"])
            #expect(status.json["entry"] == joined.json["entry"])

            let served = try await site.expect(200, .post, "/api/acme/support/serve-next", json: .object([]), headers: adminKey(key))
            #expect(served.json["served"]?["id"]?.string == id)
            #expect(
                served.json["served"]?.keys == [
                    "id", "name", "service_type_id", "service_type_name", "service_type_code", "status", "served_at", "tenant_id",
                    "queue_id",
                ])
            let empty = try await site.expect(200, .post, "/api/acme/support/serve-next", headers: adminKey(key))
            #expect(empty.json == ["message": "queue is empty"])

            let after = try await site.expect(200, .get, "/api/acme/support/status/\(id)")
            #expect(after.json["position"] == 0)
            #expect(after.text.contains("\"eta_minutes\":0.0"))
            #expect(after.json["entry"]?["status"] == "served")
            #expect(after.json["entry"]?["served_at"] == served.json["served"]?["served_at"])
        }
    }

    @Test("an address that names no queue, or no application, leads to the one that the configuration names")
    func shortAddresses() async throws {
        try await withGateway { site in
            let expected = [
                "/queue": "/queue/default_tenant/main", "/queue/acme": "/queue/acme/main",
                "/queue/acme/?lang=ar": "/queue/acme/main?lang=ar",
                "/queue/a%0Ab": "/queue/a%0Ab/main",
            ]
            for (path, page) in expected {
                let answer = try await site.get(path)
                #expect(answer.status == 302 && answer.headers[.location] == page, "\(path)")
            }
        }
    }

    @Test("making a queue again finds it unchanged, without its key")
    func again() async throws {
        try await withSupport { site, _ in
            let again = try await site.expect(
                200, .post, "/api/acme/queues", json: ["queue_id": "support", "name": "Other", "is_public": false])
            #expect(again.json["name"] == "Support Queue")
            #expect(again.json["is_public"] == true)
            #expect(again.json["admin_key"] == nil)
            let list = try await site.expect(200, .get, "/api/acme/queues")
            #expect(list.json["count"] == 1)
            #expect(!list.text.contains("admin_key"))
            #expect(try await site.expect(200, .get, "/api/acme/queues/support").json == again.json)
        }
    }

    @Test("a join to a queue that nobody made makes it; the first to claim it, and only the first, gets its key")
    func claim() async throws {
        try await withGateway { site in
            try await site.expect(201, .post, "/api/acme/pop/join", json: ["name": "Sam"])
            try await site.expect(403, .post, "/api/acme/pop/serve-next", headers: adminKey(""))
            let draft: JSON = ["queue_id": "pop", "name": "Pop-up"]
            let answers = try await withThrowingTaskGroup(of: Reply.self) { group in
                for _ in 0..<8 { group.addTask { try await site.call(.post, "/api/acme/queues", json: draft) } }
                return try await group.reduce(into: [Reply]()) { $0.append($1) }
            }
            let keys = answers.compactMap { $0.json["admin_key"]?.string }
            #expect(keys.count == 1)
            #expect(answers.filter { $0.status == 200 }.count == 7)
            let served = try await site.expect(200, .post, "/api/acme/pop/serve-next", headers: adminKey(keys[0]))
            #expect(served.json["served"]?["name"] == "Sam")
        }
    }

    @Test("production makes queues for their tenant and super admins only, and none by joining")
    func production() async throws {
        let production = [
            "APP_ENV": "production", "OPEN_TENANTS": "false", "DRAIN_SECONDS": "0",
        ]
        try await withGateway(production) { site in
            let (tenant, secret) = try await site.application()
            let draft: JSON = ["queue_id": "desk", "name": "Desk"]
            let path = "/api/\(tenant.slug)/queues"
            #expect(try await site.expect(403, .post, path, json: draft).json.keys == ["error", "code"])
            try await site.expect(401, .post, path, as: "nonsense", json: draft)
            try await site.expect(404, .post, "/api/\(tenant.slug)/desk/join", json: ["name": "Sam"])
            try await site.expect(201, .post, path, as: secret, json: draft)
            try await site.expect(201, .post, path, as: try await site.signedIn(.superAdmin), json: ["queue_id": "two", "name": "Two"])
            try await site.expect(201, .post, "/api/\(tenant.slug)/desk/join", json: ["name": "Sam"])
        }
    }

    @Test("a private queue is for those who have its key")
    func privateQueue() async throws {
        try await withSupport([.init("is_public", false)]) { site, key in
            try await site.expect(403, .post, "/api/acme/support/join", json: ["name": "Sam"])
            try await site.expect(201, .post, "/api/acme/support/join", json: ["name": "Sam"], headers: adminKey(key))
            try await site.expect(403, .get, "/api/acme/support/list")
            try await site.expect(200, .get, "/api/acme/support/list", headers: adminKey(key))
            try await site.expect(403, .get, "/api/acme/queues/support")
            #expect(try await site.expect(200, .get, "/api/acme/queues").json["count"] == 0)
        }
    }

    @Test("a queue is opened by its own key, in either form of its address")
    func isolation() async throws {
        try await withSupport { site, key in
            let other = try await site.expect(201, .post, "/api/other/queues", json: ["queue_id": "support", "name": "Theirs"])
            let joined = try await site.expect(201, .post, "/api/acme/support/join", json: ["name": "Sam"])
            let id = joined.json["entry"]?["id"]?.string ?? ""
            let theirs = try #require(other.json["admin_key"]?.string)
            for wrong in [theirs, "", key + "A"] {
                try await site.expect(403, .post, "/api/acme/support/serve-next", headers: adminKey(wrong))
            }
            try await site.expect(403, .post, "/api/acme/support/serve-next")
            try await site.expect(404, .get, "/api/other/support/status/\(id)")
            try await site.expect(404, .post, "/api/other/support/leave", json: ["token": joined.json["token"] ?? .null])
            let tenant = try #require(try await site.room.tenants.find("acme"))
            let queue = try #require(try await site.room.queues.find("support", of: tenant.id))
            let served = try await site.expect(200, .post, "/api/\(tenant.id)/\(queue.id)/serve-next", headers: adminKey(key))
            #expect(served.json["served"]?["id"]?.string == id)
        }
    }

    @Test("what is wrong with a body is 400 in this dialect, and takes no place")
    func refused() async throws {
        try await withSupport { site, _ in
            let bodies: [JSON] = [
                .object([]), ["name": ""], ["name": "   "], ["name": 7], ["name": .string(String(repeating: "a", count: 201))],
                ["name": "a\u{202E}b"], ["name": "\u{1F}x"], ["name": "Sam", "tenant_id": "other"], ["name": "Sam", "queue_id": "other"],
                ["name": "Sam", "service_type_id": "f47ac10b-58cc-4372-a567-0e02b2c3d479"], ["name": "Sam", "service_type_id": "x"],
            ]
            for body in bodies {
                #expect(try await site.expect(400, .post, "/api/acme/support/join", json: body).json.keys == ["error", "code"])
            }
            for body: JSON in [["name": "X"], ["queue_id": "x"], ["queue_id": "a b", "name": "X"], ["queue_id": "queues", "name": "X"]] {
                try await site.expect(400, .post, "/api/acme/queues", json: body)
            }
            try await site.expect(400, .post, "/api/acme/queues", json: ["queue_id": "x", "name": "X", "avg_service_time": 0])
            try await site.expect(400, .post, "/api/acme/fresh/join", json: ["name": "Sam", "queue_id": "other"])
            try await site.expect(404, .get, "/api/acme/queues/fresh")
            try await site.expect(400, .post, "/api/fresh/queues", json: ["queue_id": "x", "name": "X", "tenant_id": "other"])
            try await site.expect(404, .get, "/api/fresh/queues")
            try await site.expect(400, .get, "/api/acme/support/list?limit=0")
            #expect(try await site.expect(200, .get, "/api/acme/support/list").json["count"] == 0)
            try await site.expect(201, .post, "/api/acme/support/join", json: ["name": "Sam", "tenant_id": "acme", "queue_id": "support"])
        }
    }

    @Test("what is not there is 404, a wrong method 405, and boosting is gone")
    func missing() async throws {
        try await withSupport { site, _ in
            try await site.expect(404, .get, "/api/nobody/queues")
            try await site.expect(404, .get, "/api/acme/queues/none")
            try await site.expect(404, .get, "/api/acme/none/list")
            try await site.expect(404, .get, "/api/acme/support/status/none")
            try await site.expect(404, .get, "/api/acme/support/status/f47ac10b-58cc-4372-a567-0e02b2c3d479")
            try await site.expect(405, .get, "/api/acme/support/join")
            let gone = try await site.expect(410, .post, "/api/acme/support/boost", json: ["x": 1])
            #expect(gone.json.keys == ["error", "code"])
        }
    }

    @Test("leaving gives up the place, once; a repeated join has one")
    func leave() async throws {
        try await withSupport { site, _ in
            let key: HTTPFields = [.idempotencyKey: "0123456789abcdef"]
            let first = try await site.expect(201, .post, "/api/acme/support/join", json: ["name": "Sam"], headers: key)
            let again = try await site.expect(201, .post, "/api/acme/support/join", json: ["name": "Sam"], headers: key)
            #expect(again.json["entry"] == first.json["entry"])
            let token = try #require(first.json["token"])
            let byToken = try await site.expect(201, .post, "/api/acme/support/join", json: ["name": "Sam", "token": token])
            #expect(byToken.json["entry"]?["id"] == first.json["entry"]?["id"])
            let left = try await site.expect(200, .post, "/api/acme/support/leave", json: ["token": token])
            #expect(left.json["entry"]?["status"] == "cancelled")
            try await site.expect(404, .post, "/api/acme/support/leave", json: ["token": token])
            try await site.expect(404, .post, "/api/acme/support/leave", json: ["token": "x"])
        }
    }

    @Test("the list is in order, with places and times; visitors of the other dialect are guests")
    func list() async throws {
        try await withSupport([.init("avg_service_time", .number(2.5))]) { site, _ in
            try await site.expect(201, .post, "/api/acme/support/join", json: ["name": "Priya"])
            let tenant = try #require(try await site.room.tenants.find("acme"))
            let queue = try #require(try await site.room.queues.find("support", of: tenant.id))
            #expect(try await site.join(queue, of: tenant, visitor: "secret-7").status == 200)
            let list = try await site.expect(200, .get, "/api/acme/support/list")
            #expect(list.json["count"] == 2)
            let rows = try #require(list.json["queue"]?.array)
            #expect(
                rows[0].keys == [
                    "id", "name", "position", "service_type_name", "service_type_code", "eta_minutes", "status", "joined_at",
                ])
            #expect(list.json["queue"]?.all("name") == ["Priya", "Guest 2"])
            #expect(list.text.contains("\"eta_minutes\":2.5"))
            #expect(list.text.contains("\"eta_minutes\":5.0"))
            #expect(!list.text.contains("secret-7"))
            #expect(try await site.expect(200, .get, "/api/acme/support/list?limit=1").json["queue"]?.array?.count == 1)
        }
    }

    @Test("many desks at once never call one person twice, and skip nobody")
    func desks() async throws {
        try await withSupport { site, key in
            for number in 0..<60 { try await site.expect(201, .post, "/api/acme/support/join", json: ["name": .string("P\(number)")]) }
            let served = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        var mine: [String] = []
                        while true {
                            let answer = try await site.expect(
                                200, .post, "/api/acme/support/serve-next", headers: self.adminKey(key))
                            guard let name = answer.json["served"]?["name"]?.string else { return mine }
                            mine.append(name)
                        }
                    }
                }
                return try await group.reduce(into: [[String]]()) { $0.append($1) }
            }
            let all = served.flatMap { $0 }
            #expect(all.count == 60)
            #expect(Set(all).count == 60)
            // Each desk on its own sees people in the order in which they joined.
            for desk in served {
                let numbers = desk.compactMap { Int($0.dropFirst()) }
                #expect(numbers == numbers.sorted())
            }
        }
    }
}
