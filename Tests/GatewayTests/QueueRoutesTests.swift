import HTTPTypes
import TestSupport
import Testing
import WaitingRoom

@testable import Gateway

@Suite("Queues", .serialized)
struct QueueRoutesTests {
    private static let keys = [
        "application_id", "name", "max_users_per_minute", "priority", "id", "created_at", "is_active", "slug", "wait_ttl_seconds",
        "message",
        "unique_visitors", "redirect_url", "return_hosts", "lang", "theme", "state", "on_outage",
        "session_seconds", "session_renewal", "max_active_users", "activation", "opens_at", "closes_at", "pre_queue_order",
        "shuffle_commitment", "challenge", "challenge_bits", "invitations",
    ]

    private static func draft(_ owned: Office.Owned, _ more: [JSON.Member] = []) -> JSON {
        .object([.init("application_id", .string(owned.tenant.id.description)), .init("name", "Drop")] + more)
    }

    @Test("one is made with the contract's defaults", arguments: ["/queues/", "/queues"])
    func create(path: String) async throws {
        try await Office.with { office in
            let made = try await office.site.call(.post, path, as: office.one.admin, json: Self.draft(office.one))
            #expect(made.status == 201)
            #expect(made.json.keys == Self.keys)
            #expect(made.json["slug"] == made.json["id"])
            #expect(made.text.contains("\"max_users_per_minute\":10,\"priority\":1,"))
            #expect(made.text.contains("\"wait_ttl_seconds\":600,\"message\":null,\"unique_visitors\":false,\"redirect_url\":null,"))
            #expect(made.text.contains("\"return_hosts\":[],\"lang\":\"en\",\"theme\":\"light\","))
            #expect(made.text.contains("\"state\":\"open\",\"on_outage\":\"hold\",\"session_seconds\":600,\"session_renewal\":true,"))
            #expect(made.text.contains("\"max_active_users\":0,\"activation\":\"always\",\"opens_at\":null,\"closes_at\":null,"))
            #expect(made.text.contains("\"pre_queue_order\":\"shuffle\",\"shuffle_commitment\":\""))
            #expect(made.json["is_active"] == true)
            let got = try await office.site.call(.get, "/queues/\(made.json["id"]?.string ?? "")", as: office.one.viewer)
            #expect(got.json == made.json)
        }
    }

    @Test("every setting can be given and changed")
    func settings() async throws {
        try await Office.with { office in
            let all: [JSON.Member] = [
                .init("max_users_per_minute", .number(0.5)), .init("priority", 100), .init("slug", "drop"), .init("wait_ttl_seconds", 0),
                .init("message", "We open at nine"), .init("unique_visitors", true), .init("redirect_url", "https://elsewhere.example/in"),
                .init("return_hosts", ["Shop.Example", "[::1]", "127.0.0.1:8080"]), .init("lang", "ar"), .init("theme", "auto"),
                .init("on_outage", "lease"), .init("session_seconds", 86_400), .init("session_renewal", false),
                .init("max_active_users", 500), .init("activation", "threshold"), .init("opens_at", "2030-01-02T08:00:00.000Z"),
                .init("closes_at", "2030-01-02T20:00:00.000Z"), .init("pre_queue_order", "fifo"),
                .init("challenge", "proof_of_work"), .init("challenge_bits", 20), .init("invitations", "required"),
                .init("is_active", false),
            ]
            let made = try await office.site.call(.post, "/queues/", as: office.one.secret, json: Self.draft(office.one, all))
            #expect(made.status == 422)
            #expect(made.wrongFields == ["return_hosts"])
            let good = all.map { $0.key == "return_hosts" ? .init($0.key, ["Shop.Example", "[::1]", "127.0.0.1"]) : $0 }
            let created = try await office.site.call(.post, "/queues/", as: office.one.secret, json: Self.draft(office.one, good))
            #expect(created.status == 201)
            for setting in good where setting.key != "return_hosts" { #expect(created.json[setting.key] == setting.value) }
            #expect(created.json["return_hosts"] == ["shop.example", "[::1]", "127.0.0.1"])

            let change: JSON = [
                "name": "New", "max_users_per_minute": 120, "priority": 2, "wait_ttl_seconds": 64_800, "message": nil,
                "unique_visitors": false,
                "redirect_url": nil, "return_hosts": [], "lang": "en", "theme": "dark", "is_active": true,
            ]
            let changed = try await office.site.call(.put, "/queues/drop", as: office.one.admin, json: change)
            #expect(changed.status == 200)
            for key in change.keys { #expect(changed.json[key] == change[key]) }
            #expect(changed.json["slug"] == "drop")
            #expect(changed.json["created_at"] == created.json["created_at"])
            #expect(try await office.site.call(.get, "/queues/drop", as: office.one.viewer).json == changed.json)
        }
    }

    @Test("a partial PUT leaves the rest alone")
    func partial() async throws {
        try await Office.with { office in
            let before = try await office.site.call(.get, "/queues/main", as: office.one.admin).json
            let after = try await office.site.call(
                .put, "/queues/main", as: office.one.admin, json: ["max_users_per_minute": 7, "unknown": 1])
            #expect(after.json["max_users_per_minute"] == 7)
            for key in Self.keys where key != "max_users_per_minute" { #expect(after.json[key] == before[key]) }
        }
    }

    @Test("a changed rate rules the next release")
    func takesEffect() async throws {
        try await Office.with { office in
            let stop = try await office.site.call(.put, "/queues/main", as: office.one.admin, json: ["max_users_per_minute": 0])
            #expect(stop.status == 200)
            _ = try await office.site.room.queues.join(.init(queue: office.one.queue, visitor: "v"))
            #expect(try await office.site.room.queues.release(office.one.queue.id).people.isEmpty)
            _ = try await office.site.call(.put, "/queues/main", as: office.one.admin, json: ["max_users_per_minute": 60])
            #expect(try await office.site.room.queues.release(office.one.queue.id).people.count == 1)
        }
    }

    @Test("values out of range are told by name")
    func wrongValues() async throws {
        let wrong: [(String, [JSON])] = [
            ("name", ["", .string(String(repeating: "n", count: 101)), .null, 5]),
            ("max_users_per_minute", [-1, 1_000_001, .null, "10", .number(0.00009), .number(1e-300)]),
            ("priority", [0, 101, .number(1.5), .null]),
            ("wait_ttl_seconds", [-1, 64_801, .null]), ("message", [.string(String(repeating: "m", count: 501)), "a\u{7}"]),
            ("unique_visitors", ["yes", .null]), ("redirect_url", ["javascript:alert(1)", "//x.example"]),
            ("return_hosts", ["x.example", .null, ["https://x.example"], ["a b"], .array(Array(repeating: "x.example", count: 21))]),
            ("lang", ["de", .null]), ("theme", ["pink", .null]), ("state", ["shut", .null]), ("is_active", [1, .null]),
            ("on_outage", ["panic", .null]), ("session_seconds", [0, 86_401, .null, "60"]), ("session_renewal", [1, .null]),
            ("max_active_users", [-1, 100_000_001, .null]), ("activation", ["never", .null]), ("pre_queue_order", ["lifo", .null]),
            ("challenge", ["captcha", .null]), ("challenge_bits", [0, 33, .null]), ("invitations", ["optional", .null]),
            ("opens_at", ["tomorrow", "2030-02-30T10:00", "2030-01-01", 5]), ("closes_at", ["", "2030-01-01T24:00"]),
        ]
        try await Office.with { office in
            for (field, values) in wrong {
                for value in values {
                    let json = JSON.object([.init(field, value)])
                    let change = try await office.site.expect(422, .put, "/queues/main", as: office.one.admin, json: json)
                    #expect(change.wrongFields == [field], "\(json.text)")
                }
            }
        }
    }

    @Test("it opens before it closes, whichever of the two is changed; a time without a zone is UTC, and null takes it away")
    func times() async throws {
        try await Office.with { office in
            func put(_ json: JSON, _ status: Int = 200) async throws -> Reply {
                try await office.site.expect(status, .put, "/queues/main", as: office.one.admin, json: json)
            }
            let opened = try await put(["opens_at": "2030-01-02T10:00:00+02:00", "closes_at": "2030-01-02T09:00"])
            #expect(opened.json["opens_at"] == "2030-01-02T08:00:00.000Z" && opened.json["closes_at"] == "2030-01-02T09:00:00.000Z")
            #expect(try await put(["opens_at": "2030-01-02T09:00"], 422).wrongFields == ["opens_at"])
            #expect(try await put(["closes_at": "2030-01-02T08:00"], 422).wrongFields == ["closes_at"])
            let none = try await put(["opens_at": .null, "closes_at": "2030-01-01T08:00"])
            #expect(none.json["opens_at"] == .null)
        }
    }

    @Test("wrong drafts, a taken slug, a foreign application")
    func wrongDrafts() async throws {
        try await Office.with { office in
            func create(_ json: JSON, as bearer: String) async throws -> Reply {
                try await office.site.call(.post, "/queues/", as: bearer, json: json)
            }
            #expect(try await create([:], as: office.one.admin).wrongFields == ["application_id", "name"])
            #expect(try await create(["application_id": "one", "name": "x"], as: office.one.admin).wrongFields == ["application_id"])
            #expect(try await create(Self.draft(office.one, [.init("slug", "queues")]), as: office.one.admin).wrongFields == ["slug"])
            let taken = try await create(Self.draft(office.one, [.init("slug", "main")]), as: office.one.admin)
            #expect(taken.status == 409)
            let foreign = try await create(Self.draft(office.other), as: office.one.admin)
            #expect(foreign.status == 404)
            #expect(foreign.detail == "Application not found")
            #expect(try await create(Self.draft(office.other), as: office.superAdmin).status == 201)
        }
    }

    @Test("each sees its own, a super admin all, narrowed by application and page")
    func list() async throws {
        try await Office.with { office in
            func names(_ bearer: String, _ query: String = "") async throws -> [String] {
                try await office.site.call(.get, "/queues/\(query)", as: bearer).json.all("name")
            }
            #expect(try await names(office.superAdmin) == ["one queue", "other queue"])
            #expect(try await names(office.superAdmin, "?application_id=\(office.other.tenant.id)") == ["other queue"])
            #expect(try await names(office.superAdmin, "?skip=1") == ["other queue"])
            #expect(try await names(office.one.viewer) == ["one queue"])
            let foreign = try await office.site.call(.get, "/queues/?application_id=\(office.other.tenant.id)", as: office.one.viewer)
            #expect(foreign.status == 404)
            #expect(try await office.site.call(.get, "/queues/?application_id=x&limit=0", as: office.superAdmin).wrongFields.count == 2)
        }
    }

    @Test("deleting is done once; nobody joins any more")
    func delete() async throws {
        try await Office.with { office in
            try await office.site.expect(204, .delete, "/queues/main", as: office.one.admin)
            try await office.site.expect(404, .delete, "/queues/main", as: office.one.admin)
            try await office.site.expect(404, .put, "/queues/\(office.one.queue.id)", as: office.superAdmin, json: [:])
            #expect(try await office.site.room.queues.join(.init(queue: office.one.queue, visitor: "late")) == nil)
            try await office.site.expect(200, .get, "/queues/main", as: office.other.admin)
        }
    }

    @Test("who may do what")
    func roles() async throws {
        try await Office.with { office in
            let mine = "/queues/\(office.one.queue.id)"
            let calls: [(HTTPRequest.Method, JSON?)] = [(.get, nil), (.put, ["name": "x"]), (.delete, nil)]
            for (method, json) in calls {
                try await office.site.expect(401, method, mine, json: json)
                let viewer = try await office.site.call(method, mine, as: office.one.viewer, json: json)
                #expect(viewer.status == (method == .get ? 200 : 403))
                for stranger in [office.other.admin, office.other.secret] {
                    let answer = try await office.site.call(method, mine, as: stranger, json: json)
                    #expect(answer.status == 404)
                    #expect(answer.detail == "Queue not found")
                }
                try await office.site.expect(404, method, "/queues/nothing", as: office.superAdmin, json: json)
            }
            try await office.site.expect(403, .post, "/queues/", as: office.one.viewer, json: Self.draft(office.one))
            try await office.site.expect(401, .get, "/queues/")
            try await office.site.expect(200, .get, mine, as: office.superAdmin)
        }
    }

    @Test("HEAD, 405, OPTIONS")
    func methods() async throws {
        try await Office.with { office in
            try await office.site.expect(200, .head, "/queues", as: office.one.viewer)
            let wrong = try await office.site.call(.delete, "/queues")
            #expect(wrong.status == 405)
            #expect(wrong.headers[.allow] == "POST, GET, HEAD, OPTIONS")
            try await office.site.expect(204, .options, "/queues/x")
        }
    }
}
