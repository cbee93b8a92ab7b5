import HTTPTypes
import TestSupport
import Testing
import WaitingRoom

@testable import Gateway

/// A walk-in queue `acme/support` as its clerks and customers use it.
private struct Counter: Sendable {
    let site: Site
    let key: String

    static func with(_ more: [JSON.Member] = [], _ body: @Sendable @escaping (Counter) async throws -> Void) async throws {
        try await withGateway { site in
            let draft = JSON.object([.init("queue_id", "support"), .init("name", "Support Queue")] + more)
            let made = try await site.expect(201, .post, "/api/acme/queues", json: draft)
            try await body(Counter(site: site, key: try #require(made.json["admin_key"]?.string)))
        }
    }

    /// What the desk posts, with the admin key.
    func desk(_ status: Int, _ verb: String, _ json: JSON? = nil) async throws -> Reply {
        try await desk(status, .post, verb, json)
    }

    func desk(_ status: Int, _ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil) async throws -> Reply {
        try await site.expect(status, method, "/api/acme/support/\(path)", json: json, headers: [.adminKey: key])
    }

    /// Joins, and answers the id.
    func join(_ name: String, type: String? = nil) async throws -> String {
        let body = JSON.object([.init("name", .string(name))] + (type.map { [.init("service_type_id", .string($0))] } ?? []))
        let joined = try await site.expect(201, .post, "/api/acme/support/join", json: body)
        return try #require(joined.json["entry"]?["id"]?.string)
    }

    func status(_ id: String) async throws -> JSON {
        try await site.expect(200, .get, "/api/acme/support/status/\(id)").json["entry"] ?? .null
    }

    func names() async throws -> [String]? {
        let list = try await site.expect(200, .get, "/api/acme/support/list")
        return list.json["queue"]?.all("name")
    }

    func type(_ code: String, _ name: String) async throws -> String {
        try #require(try await desk(201, "service-types", ["name": .string(name), "code": .string(code)]).json["id"]?.string)
    }
}

@Suite("Desks over HTTP")
struct DeskRoutesTests {
    @Test("a clerk's day: next, again, no-show, back, done, undo")
    func day() async throws {
        try await Counter.with { counter in
            let ann = try await counter.join("Ann")
            let bob = try await counter.join("Bob")
            let called = try await counter.desk(200, "call-next", ["desk": "Desk 3"])
            #expect(
                called.json["called"]?.keys == [
                    "id", "name", "service_type_id", "service_type_name", "service_type_code", "status", "tenant_id", "queue_id", "desk",
                ])
            #expect(called.json["called"]?["id"] == .string(ann))
            #expect(try await counter.status(ann)["status"] == "called")
            #expect(try await counter.status(ann)["desk"] == "Desk 3")
            _ = try await counter.desk(200, "recall", ["desk": "Desk 3"])
            let calls = try await counter.site.expect(200, .get, "/api/acme/support/calls")
            #expect(calls.json["count"] == 1)
            #expect(
                calls.json["calls"]?.array?.first?.keys == [
                    "id", "name", "service_type_name", "service_type_code", "status", "desk", "called_at", "times_called",
                ])
            #expect(calls.json["calls"]?.array?.first?["times_called"] == 2)
            #expect(try await counter.desk(200, "no-show", ["desk": "Desk 3"]).json["entry"]?["status"] == "no_show")
            #expect(try await counter.site.expect(200, .get, "/api/acme/support/calls").json["count"] == 0)
            #expect(try await counter.desk(200, "return", ["user_id": .string(ann)]).json["entry"]?["status"] == "waiting")
            #expect(try await counter.names() == ["Ann", "Bob"])
            #expect(try await counter.desk(200, "call-next").json["called"]?["name"] == "Ann")
            #expect(try await counter.desk(200, "serve").json["entry"]?["status"] == "served")
            #expect(try await counter.desk(200, "undo").json["entry"]?["status"] == "called")
            #expect(try await counter.desk(200, "call-next").json["called"]?["id"] == .string(bob))
            #expect(try await counter.status(ann)["status"] == "served")
            #expect(try await counter.desk(200, "call-next").json == ["message": "queue is empty"])
            let today = try await counter.desk(200, .get, "today").json
            #expect(today.keys == ["date", "waiting", "joined", "called", "expired", "cancelled", "average_minutes"])
            #expect(today["waiting"] == 0 && today["joined"] == 2 && today["called"] == 2)
        }
    }

    @Test("a step that does not fit is 409 with the reason, nobody is 404, a bad body 400, no key 403")
    func refused() async throws {
        try await Counter.with { counter in
            let ann = try await counter.join("Ann")
            let verbs = ["recall", "serve", "no-show", "return", "undo"]
            for verb in verbs + ["transfer", "call-next", "serve-next"] {
                try await counter.site.expect(403, .post, "/api/acme/support/\(verb)")
            }
            for verb in verbs {
                #expect(try await counter.desk(409, verb).json["code"] == "nobody_called")
                #expect(
                    try await counter.desk(400, verb, ["desk": .string(String(repeating: "x", count: 41))]).json.keys == ["error", "code"])
                _ = try await counter.desk(400, verb, ["user_id": "x"])
            }
            for verb in verbs.dropLast() {
                let refusal = try await counter.desk(409, verb, ["user_id": .string(ann)])
                #expect(refusal.json["error"] == "They are waiting in line: call them first")
                _ = try await counter.desk(404, verb, ["user_id": .string(Identifier.random().description)])
            }
            _ = try await counter.desk(400, "transfer", .object([]))
            _ = try await counter.desk(400, "transfer", ["queue_id": "none"])
            _ = try await counter.desk(400, "transfer", ["queue_id": "support"])
            _ = try await counter.desk(400, "transfer", ["queue_id": "support", "service_type_id": nil])
            _ = try await counter.desk(400, "transfer", ["service_type_id": .string(ann)])
            _ = try await counter.desk(400, "call-next", ["service_type_id": 7])
            #expect(try await counter.names() == ["Ann"])
        }
    }

    @Test("service types are added, listed, asked for, shown and deleted")
    func serviceTypes() async throws {
        try await Counter.with { counter in
            let path = "/api/acme/support/service-types"
            let general = try await counter.type("GEN", " General Inquiry ")
            let returns = try await counter.type("RET", "Returns")
            #expect(try await counter.desk(409, "service-types", ["name": "X", "code": "ret"]).json["code"] == "code_taken")
            for body: JSON in [
                ["name": "X"], ["code": "X"], ["name": "", "code": "X"], ["name": "X", "code": "a b"], ["name": "X", "code": ""],
            ] {
                _ = try await counter.desk(400, "service-types", body)
            }
            try await counter.site.expect(403, .post, path, json: ["name": "X", "code": "X"])
            let list = try await counter.site.expect(200, .get, path)
            #expect(list.json.keys == ["count", "service_types"])
            #expect(list.json["service_types"]?.array?.first == ["id": .string(general), "name": "General Inquiry", "code": "GEN"])

            try await counter.site.expect(
                400, .post, "/api/acme/support/join", json: ["name": "X", "service_type_id": .string(Identifier.random().description)])
            _ = try await counter.join("Ann", type: general)
            let bob = try await counter.join("Bob", type: returns)
            #expect(try await counter.status(bob)["service_type_name"] == "Returns")
            let rows = try await counter.site.expect(200, .get, "/api/acme/support/list").json["queue"]
            #expect(rows?.all("service_type_code") == ["GEN", "RET"])
            let served = try await counter.desk(200, "serve-next", ["service_type_id": .string(returns), "desk": "2"]).json["served"]
            #expect(served?["id"] == .string(bob) && served?["service_type_code"] == "RET" && served?["desk"] == "2")
            #expect(try await counter.desk(200, "serve-next", ["service_type_id": .string(returns)]).json["message"] != nil)

            try await counter.site.expect(403, .delete, "\(path)/\(general)")
            _ = try await counter.desk(204, .delete, "service-types/\(general)")
            _ = try await counter.desk(404, .delete, "service-types/\(general)")
            _ = try await counter.desk(404, .delete, "service-types/x")
            #expect(try await counter.desk(200, "serve-next").json["served"]?["service_type_name"] == "General Inquiry")
        }
    }

    @Test("somebody transferred is followed: their old address tells of the new place, and leaving leaves that")
    func transfer() async throws {
        try await Counter.with { counter in
            try await counter.site.expect(201, .post, "/api/acme/queues", json: ["queue_id": "billing", "name": "Billing"])
            let joined = try await counter.site.expect(
                201, .post, "/api/acme/support/join", json: ["name": "Ann"], headers: [.idempotencyKey: "0123456789abcdef"])
            let ann = try #require(joined.json["entry"]?["id"]?.string)
            #expect(
                try await counter.desk(200, "transfer", ["user_id": .string(ann), "queue_id": "billing"]).json["entry"]?["status"]
                    == "transferred")
            let after = try await counter.site.expect(200, .get, "/api/acme/support/status/\(ann)").json
            #expect(after["entry"]?["queue_id"] == "billing" && after["entry"]?["status"] == "waiting" && after["position"] == 1)
            // Joining again with the same proof finds that place.
            let again = try await counter.site.expect(
                201, .post, "/api/acme/support/join", json: ["name": "Ann"], headers: [.idempotencyKey: "0123456789abcdef"])
            #expect(again.json["entry"] == after["entry"])
            #expect(try await counter.names() == [])
            let token = try #require(joined.json["token"])
            let left = try await counter.site.expect(200, .post, "/api/acme/support/leave", json: ["token": token])
            #expect(left.json["entry"]?["queue_id"] == "billing" && left.json["entry"]?["status"] == "cancelled")
            #expect(try await counter.site.expect(200, .get, "/api/acme/billing/list").json["count"] == 0)
            try await counter.site.expect(404, .post, "/api/acme/support/leave", json: ["token": token])
        }
    }

    @Test("events: newest first, for the desk alone")
    func events() async throws {
        try await Counter.with { counter in
            let ann = try await counter.join("Ann")
            _ = try await counter.desk(200, "serve-next", ["desk": "1"])
            try await counter.site.expect(403, .get, "/api/acme/support/events")
            let events = try await counter.desk(200, .get, "events").json
            #expect(events.keys == ["count", "events"])
            #expect(events["count"] == 2)
            #expect(events["events"]?.all("event_type") == ["SERVE", "JOIN"])
            let first = try #require(events["events"]?.array?.first)
            #expect(first.keys == ["id", "event_type", "user_id", "timestamp", "meta"])
            #expect(first["user_id"] == .string(ann))
            #expect(first["meta"] == ["name": "Ann", "desk": "1"])
            #expect(try await counter.desk(200, .get, "events?limit=1").json["count"] == 1)
            _ = try await counter.desk(400, .get, "events?limit=0")
        }
    }

    @Test("the day as a table no spreadsheet runs")
    func table() async throws {
        try await Counter.with { counter in
            let names = ["=HYPERLINK(\"http://evil\")", "+1", "-2", "@cmd", "a,b", "say \"hi\"", "علي", " \u{3000}=1"]
            for name in names { _ = try await counter.join(name) }
            try await counter.site.expect(403, .get, "/api/acme/support/events.csv")
            let table = try await counter.desk(200, .get, "events.csv")
            #expect(table.headers[.contentType] == "text/csv; charset=utf-8; header=present")
            #expect(table.headers[.contentDisposition]?.hasPrefix("attachment; filename=\"support-") == true)
            let lines = table.text.split(separator: "\r\n")
            #expect(lines.count == names.count + 1)
            #expect(lines[0] == "\u{FEFF}timestamp,event_type,user_id,name,service_type_code,desk,undo")
            let cells = lines.dropFirst().map { line in line.split(separator: ",", maxSplits: 3)[3].dropLast(3) }
            #expect(
                cells == [
                    "\"'=HYPERLINK(\"\"http://evil\"\")\"", "\"'+1\"", "\"'-2\"", "\"'@cmd\"", "\"a,b\"", "\"say \"\"hi\"\"\"", "علي",
                    "\"'=1\"",
                ])
            #expect(try await counter.desk(200, .get, "events.csv?date=2020-02-29").text.split(separator: "\r\n").count == 1)
            for date in ["2020-02-30", "yesterday", "2020-2-3", ""] { _ = try await counter.desk(400, .get, "events.csv?date=\(date)") }
        }
    }

    @Test("names are hidden from everybody but the desk where the queue says so")
    func names() async throws {
        try await Counter.with([.init("names", "initials")]) { counter in
            let path = "/api/acme/queues/support"
            #expect(try await counter.site.expect(200, .get, path).json["names"] == "initials")
            let ann = try await counter.join("Ann Lee")
            #expect(try await counter.names() == ["A. L."])
            #expect(try await counter.status(ann)["name"] == "A. L.")
            #expect(try await counter.desk(200, .get, "list").json["queue"]?.all("name") == ["Ann Lee"])
            try await counter.site.expect(403, .put, path, json: ["names": "hidden"])
            for body: JSON in [["names": "x"], ["eta_model": "x"], ["avg_service_time": 0], ["is_public": 1], ["name": " "]] {
                try await counter.site.expect(400, .put, path, json: body, headers: [.adminKey: counter.key])
            }
            let changed = try await counter.site.expect(
                200, .put, path, json: ["names": "hidden", "eta_model": "wait_average", "avg_service_time": 9],
                headers: [.adminKey: counter.key])
            #expect(changed.json["name"] == "Support Queue" && changed.json["eta_model"] == "wait_average")
            _ = try await counter.desk(200, "call-next", ["desk": "1"])
            let calls = try await counter.site.expect(200, .get, "/api/acme/support/calls")
            #expect(calls.json["calls"]?.all("name") == ["Guest 1"])
            #expect(!calls.text.contains("Ann"))
        }
    }
}
