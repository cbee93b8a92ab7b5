import HTTPTypes
import TestSupport
import Testing

@testable import Gateway
@testable import WaitingRoom

@Suite("Callbacks and people, by hand", .serialized)
struct CallbackRoutesTests {
    /// Settles the callbacks due of a queue.
    private static func settle(_ office: Office, _ outcome: Callbacks.Outcome) async throws {
        let queue = office.one.queue.id
        for callback in try await office.site.room.callbacks.claim(queue, limit: 100, lease: .seconds(60)).callbacks {
            let settled = try await office.site.room.callbacks.settle(callback, tenant: office.one.tenant.id, outcome)
            #expect(settled)
        }
    }

    @Test("callbacks are listed as the contract says, dead ones are sent again one by one and all together")
    func resend() async throws {
        try await Office.with { office in
            let (site, one) = (office.site, office.one)
            try await office.join(one, 3, release: 3)
            try await Self.settle(office, .dead(error: "HTTP 500", status: 500))
            let dead = try await site.expect(200, .get, "/callbacks?state=dead", as: one.viewer).json
            let first = try #require(dead.array?.first)
            #expect(
                first.keys == [
                    "id", "state", "attempts", "last_status", "last_error", "next_attempt_at", "created_at", "entry_id", "queue_id",
                    "application_id",
                ])
            #expect(first["state"] == "dead" && first["last_status"] == 500 && first["attempts"] == 1 && first["next_attempt_at"] == .null)
            #expect(first["last_error"] == "HTTP 500" && first["queue_id"] == .string(one.queue.id.description))
            let id = try #require(first["id"]?.string)

            try await site.expect(404, .post, "/callbacks/\(id)/resend", as: office.other.admin)
            try await site.expect(404, .post, "/callbacks/msg_x/resend", as: one.admin)
            #expect(try await site.expect(202, .post, "/callbacks/\(id)/resend", as: one.admin).json["resent"] == 1)
            let pending = try await site.expect(200, .get, "/callbacks?state=pending", as: one.viewer).json
            #expect(pending.all("id") == [id])
            #expect(pending.array?.first?["next_attempt_at"]?.string?.hasSuffix("Z") == true)

            try await site.expect(422, .post, "/callbacks/resend", as: one.admin)
            try await site.expect(404, .post, "/callbacks/resend?application_id=\(one.tenant.id)", as: office.other.admin)
            let all = try await site.expect(202, .post, "/callbacks/resend?application_id=\(one.tenant.id)", as: one.admin)
            #expect(all.json["resent"] == 2)
            try await Self.settle(office, .delivered(status: 200))
            #expect(try await site.call(.get, "/callbacks", as: one.viewer).json.all("state") == ["delivered", "delivered", "delivered"])
            #expect(try await site.call(.get, "/callbacks?limit=2", as: one.viewer).json.array?.count == 2)
            #expect(try await site.call(.get, "/callbacks", as: office.other.viewer).json == .array([]))
            try await site.expect(422, .get, "/callbacks?state=lost", as: one.viewer)
        }
    }

    @Test("a person's story tells places, releases and callbacks, and who did something by hand")
    func story() async throws {
        try await Office.with { office in
            let (site, one) = (office.site, office.one)
            let people = try await office.join(one, 3, release: 1).map(\.entry.id)
            try await Self.settle(office, .retry(delay: .zero, error: "HTTP 503", status: 503))
            let again = try await site.room.callbacks.claim(one.queue.id, limit: 1, lease: .seconds(60)).callbacks
            for callback in again {
                _ = try await site.room.callbacks.settle(callback, tenant: one.tenant.id, .delivered(status: 200))
            }
            let story = try await site.expect(200, .get, "/queue_users/\(people[0])", as: one.viewer).json
            #expect(story["id"] == .string(people[0].description) && story["token"]?.string?.hasSuffix("…") == true)
            #expect(story["events"]?.all("type") == ["joined", "released", "callback_delivered"])
            #expect(story["events"]?.all("detail") == ["place 1", "", "at attempt 2"])
            try await site.expect(404, .get, "/queue_users/\(people[0])", as: office.other.viewer)
            try await site.expect(404, .get, "/queue_users/\(Identifier.random())", as: one.viewer)
            try await site.expect(404, .get, "/queue_users/x", as: one.viewer)

            try await site.expect(404, .post, "/queue_users/\(people[2])/release", as: office.other.admin)
            try await site.expect(204, .post, "/queue_users/\(people[2])/release?queue_id=\(one.queue.id)", as: one.admin)
            try await site.expect(409, .post, "/queue_users/\(people[2])/release", as: one.admin)
            try await site.expect(204, .post, "/queue_users/\(people[1])/cancel", as: one.secret)
            let released = try await site.call(.get, "/queue_users/\(people[2])", as: one.viewer).json
            #expect(released["events"]?.all("detail").dropFirst().first == "by app_admin@example.com")
            let cancelled = try await site.call(.get, "/queue_users/\(people[1])", as: one.viewer).json
            #expect(cancelled["events"]?.all("type") == ["joined", "cancelled"])
            #expect(cancelled["events"]?.all("detail") == ["place 2", "by application one"])

            let found = try await site.call(.get, "/queue_users?queue_id=\(one.queue.id)&search=V1", as: one.viewer).json
            #expect(found.all("visitor_id") == ["v1"])
        }
    }

    @Test("live figures and the series are there for those who see the queue")
    func figures() async throws {
        try await Office.with { office in
            let (site, one) = (office.site, office.one)
            try await office.join(one, 3, release: 2)
            let live = try await site.expect(200, .get, "/dashboard/live", as: one.viewer).json
            #expect(live.all("name") == ["one queue"])
            #expect(live.array?.first?["waiting_users"] == 1 && live.array?.first?["released_last_minute"] == 2)
            let series = try await site.expect(200, .get, "/queues/\(one.queue.id)/series", as: one.viewer).json
            #expect(series["step_seconds"] == 60 && series["points"]?.array?.count == 60)
            let last = try #require(series["points"]?.array?.last)
            #expect(
                last.keys == [
                    "at", "waiting", "joined", "released", "expired", "cancelled", "wait_p50_seconds", "wait_p95_seconds",
                ])
            #expect(last["waiting"] == 1)
            #expect(try await site.call(.get, "/queues/main/series?days=2", as: one.viewer).json["points"]?.array?.count == 48)
            try await site.expect(404, .get, "/queues/\(one.queue.id)/series", as: office.other.viewer)
            for query in ["minutes=0", "minutes=1441", "days=31", "days=1&minutes=1"] {
                try await site.expect(422, .get, "/queues/\(one.queue.id)/series?\(query)", as: one.viewer)
            }
        }
    }
}
