import HTTPTypes
import TestSupport
import Testing
import WaitingRoom

@testable import Gateway

@Suite("Applications", .serialized)
struct ApplicationRoutesTests {
    private static let keys = ["name", "domain", "callback_url", "id", "api_key", "created_at", "is_active", "slug", "redirect_url"]
    private static let draft: JSON = ["name": "Shop", "domain": "shop.example", "callback_url": "https://shop.example/hook"]

    @Test("one is made by a super admin, and its secret key is told once", arguments: ["/applications/", "/applications"])
    func create(path: String) async throws {
        try await Office.with { office in
            let made = try await office.site.call(.post, path, as: office.superAdmin, json: Self.draft)
            #expect(made.status == 201)
            #expect(made.json.keys == Self.keys + ["secret_key"])
            #expect(made.json["slug"] == made.json["id"])
            #expect(made.json["callback_url"] == "https://shop.example/hook")
            #expect(made.json["redirect_url"] == .null)
            #expect(made.json["created_at"]?.string?.contains(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/) == true)
            #expect(made.headers[.cacheControl] == "no-store")
            let secret = try #require(made.json["secret_key"]?.string)
            let got = try await office.site.call(.get, "/applications/\(made.json["id"]?.string ?? "")", as: secret)
            #expect(got.status == 200)
            #expect(got.json.keys == Self.keys)
            #expect(!got.text.contains(secret))
        }
    }

    @Test("what is wrong with a draft is told all at once, and a taken slug is 409")
    func wrongDrafts() async throws {
        try await Office.with { office in
            func create(_ json: JSON) async throws -> Reply {
                try await office.site.call(.post, "/applications/", as: office.superAdmin, json: json)
            }
            #expect(try await create([:]).wrongFields == ["name", "domain"])
            let wrong = try await create([
                "name": .string(String(repeating: "n", count: 101)), "domain": .string(String(repeating: "d", count: 256)),
                "callback_url": "ftp://x", "redirect_url": "/here", "slug": "no spaces",
            ])
            #expect(wrong.status == 422)
            #expect(wrong.wrongFields == ["name", "domain", "callback_url", "redirect_url", "slug"])
            #expect(try await create(["name": "\u{202E}evil", "domain": "x"]).wrongFields == ["name"])
            let taken = try await create(["name": "x", "domain": "x", "slug": "one"])
            #expect(taken.status == 409)
            #expect(taken.code == "slug_taken")
            #expect(try await office.site.call(.post, "/applications/", as: office.superAdmin, text: "{\"name\":").code == "malformed_json")
            try await office.site.expect(415, .post, "/applications/", as: office.superAdmin, form: "name=x")
        }
    }

    @Test("each sees its own, a super admin all, page by page")
    func list() async throws {
        try await Office.with { office in
            func slugs(_ bearer: String, _ query: String = "") async throws -> [String] {
                try await office.site.call(.get, "/applications/\(query)", as: bearer).json.all("slug")
            }
            #expect(try await slugs(office.superAdmin) == ["one", "other"])
            #expect(try await slugs(office.superAdmin, "?skip=1&limit=5") == ["other"])
            #expect(try await slugs(office.superAdmin, "?limit=1") == ["one"])
            for bearer in [office.one.viewer, office.one.admin, office.one.secret] { #expect(try await slugs(bearer) == ["one"]) }
            let wrong = try await office.site.call(.get, "/applications/?skip=-1&limit=1001", as: office.superAdmin)
            #expect(wrong.wrongFields == ["skip", "limit"])
        }
    }

    @Test("a PUT changes what it names; null clears what may be empty")
    func update() async throws {
        try await Office.with { office in
            func put(_ json: JSON) async throws -> Reply {
                try await office.site.call(.put, "/applications/one", as: office.one.admin, json: json)
            }
            let named = try await put(["name": "New", "callback_url": "https://one.example/cb", "redirect_url": "https://one.example/"])
            #expect(named.status == 200)
            #expect(named.json["name"] == "New")
            #expect(named.json["domain"] == "one.example")
            let cleared = try await put(["callback_url": nil, "redirect_url": nil])
            #expect(cleared.json["callback_url"] == .null && cleared.json["redirect_url"] == .null)
            #expect(cleared.json["name"] == "New")
            #expect(try await put(["name": nil, "domain": nil, "is_active": nil]).wrongFields == ["name", "domain", "is_active"])
            #expect(try await put([:]).json == cleared.json)
            #expect(try await office.site.call(.get, "/applications/one", as: office.superAdmin).json == cleared.json)
        }
    }

    @Test("a rate of its own is set, told and taken away")
    func rate() async throws {
        try await Office.with { office in
            func put(_ rate: JSON) async throws -> JSON {
                try await office.site.expect(200, .put, "/applications/one", as: office.one.admin, json: ["max_users_per_minute": rate])
                    .json
            }
            #expect(try await put(600)["max_users_per_minute"] == 600)
            #expect(try await office.site.room.tenants.get(office.one.tenant.id)?.ratePerMinute == 600)
            #expect(try await put(.null)["max_users_per_minute"] == nil)
            let wrong = try await office.site.expect(
                422, .put, "/applications/one", as: office.one.admin, json: ["max_users_per_minute": -1])
            #expect(wrong.wrongFields == ["max_users_per_minute"])
        }
    }

    @Test("switched off, its keys are dead; its people and super admins still reach it")
    func inactive() async throws {
        try await Office.with { office in
            let off = try await office.site.call(.put, "/applications/one", as: office.one.secret, json: ["is_active": false])
            #expect(off.json["is_active"] == false)
            try await office.site.expect(401, .get, "/applications/one", as: office.one.secret)
            let on = try await office.site.call(.put, "/applications/one", as: office.one.admin, json: ["is_active": true])
            #expect(on.json["is_active"] == true)
            try await office.site.expect(200, .get, "/applications/one", as: office.one.secret)
        }
    }

    @Test("deleting hides the application and its queues, and is done once")
    func delete() async throws {
        try await Office.with { office in
            let site = office.site
            let path = "/applications/\(office.one.tenant.id)"
            try await site.expect(204, .delete, path, as: office.superAdmin)
            try await site.expect(404, .delete, path, as: office.superAdmin)
            #expect(try await site.call(.get, path, as: office.superAdmin).detail == "Application not found")
            #expect(try await site.call(.get, "/applications/", as: office.superAdmin).json.all("slug") == ["other"])
            try await site.expect(404, .get, "/queues/\(office.one.queue.id)", as: office.superAdmin)
            #expect(try await site.call(.get, "/queues/", as: office.superAdmin).json.array?.count == 1)
            try await site.expect(401, .get, "/applications/", as: office.one.secret)
            #expect(try await site.call(.get, "/applications/", as: office.one.viewer).json == [])
            #expect(try await site.room.queues.join(.init(queue: office.one.queue, visitor: "late")) == nil)
        }
    }

    @Test("rotated keys take over at once, or side by side for as long as asked")
    func rotateKeys() async throws {
        try await Office.with { office in
            let site = office.site
            let first = try await site.call(.post, "/applications/one/rotate_keys", as: office.one.secret)
            #expect(first.status == 200)
            #expect(first.json.keys == Self.keys + ["secret_key"])
            #expect(first.json["api_key"] != .string(office.one.tenant.apiKey))
            try await site.expect(401, .get, "/auth/me", as: office.one.secret)
            let second = try #require(first.json["secret_key"]?.string)
            let third = try await site.call(.post, "/applications/one/rotate_keys", as: second, json: ["grace_seconds": 604_800])
            #expect(third.status == 200)
            try await site.expect(200, .get, "/auth/me", as: second)
            try await site.expect(200, .get, "/auth/me", as: third.json["secret_key"]?.string)
            for wrong in [-1, 604_801, "1", .null, .number(0.5)] as [JSON] {
                let answer = try await site.call(.post, "/applications/one/rotate_keys", as: second, json: ["grace_seconds": wrong])
                #expect(answer.wrongFields == ["grace_seconds"])
            }
        }
    }

    @Test("who may do what")
    func roles() async throws {
        try await Office.with { office in
            let site = office.site
            let mine = "/applications/\(office.one.tenant.id)"
            let calls: [(HTTPRequest.Method, String, JSON?)] = [
                (.get, mine, nil), (.put, mine, ["name": "x"]), (.post, mine + "/rotate_keys", nil), (.delete, mine, nil),
            ]
            for (method, path, json) in calls {
                try await site.expect(401, method, path, json: json)
                try await site.expect(401, method, path, as: office.one.tenant.apiKey, json: json)
                try await site.expect(403, method, path, as: office.one.viewer, json: json)
                for stranger in [office.other.admin, office.other.secret] {
                    let answer = try await site.call(method, path, as: stranger, json: json)
                    #expect(answer.status == 404)
                    #expect(answer.code == "application_not_found")
                }
                let unknown = path.replacing("\(office.one.tenant.id)", with: "\(Identifier.random())")
                try await site.expect(404, method, unknown, as: office.superAdmin, json: json)
            }
            for bearer in [office.one.viewer, office.one.admin, office.one.secret] {
                try await site.expect(403, .post, "/applications/", as: bearer, json: Self.draft)
            }
            try await site.expect(401, .get, "/applications/")
            try await site.expect(200, .get, mine, as: office.one.admin)
        }
    }

    @Test("HEAD answers as GET without a body, a wrong method 405, OPTIONS 204")
    func methods() async throws {
        try await Office.with { office in
            let head = try await office.site.call(.head, "/applications/one", as: office.one.admin)
            #expect(head.status == 200)
            #expect(head.text.isEmpty)
            let wrong = try await office.site.call(.patch, "/applications/one", as: office.one.admin)
            #expect(wrong.status == 405)
            #expect(wrong.headers[.allow] == "GET, PUT, DELETE, HEAD, OPTIONS")
            let options = try await office.site.call(.options, "/applications/one")
            #expect(options.status == 204)
            #expect(options.headers[.accessControlAllowOrigin] == "*")
        }
    }
}
