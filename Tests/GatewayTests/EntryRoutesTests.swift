import HTTPTypes
import NIOCore
import TestSupport
import Testing

@testable import Gateway
@testable import WaitingRoom

@Suite("Who is in a queue", .serialized)
struct EntryRoutesTests {
    private static let keys = [
        "queue_id", "visitor_id", "status", "redirect_url", "wait_time", "expires_at", "id", "token", "created_at", "position",
        "eta_seconds",
        "queue_length", "poll_after_ms",
    ]
    private static let forecastKeys = ["eta_low_seconds", "eta_high_seconds", "max_users_per_minute"]

    @Test("those waiting come first in their order, then those let in; tokens are masked")
    func list() async throws {
        try await Office.with { office in
            let joined = try await office.join(office.one, 3, release: 1)
            let path = "/queue_users?queue_id=\(office.one.queue.id)"
            let all = try await office.site.call(.get, path, as: office.one.viewer)
            #expect(all.status == 200)
            #expect(all.json.all("visitor_id") == ["v1", "v2", "v0"])
            #expect(all.json.all("status") == ["waiting", "waiting", "ready"])
            for (entry, ticket) in zip(all.json.array ?? [], [joined[1], joined[2], joined[0]]) {
                #expect(entry.keys == Self.keys + (entry["status"] == "waiting" ? Self.forecastKeys : []))
                #expect(entry["id"] == .string(ticket.entry.id.description))
                #expect(entry["token"] == .string(ticket.token.prefix(8) + "…"))
            }
            let first = try #require(all.json.array?.first)
            #expect(first["position"] == 1)
            #expect(first["eta_seconds"] == 6)
            #expect(first["queue_length"] == 2)
            #expect(first["wait_time"] == .null)
            #expect(first["expires_at"] != .null)
            let last = try #require(all.json.array?.last)
            #expect(last["position"] == 0 && last["eta_seconds"] == 0 && last["poll_after_ms"] == 0)
            #expect(last["wait_time"] != .null)
            #expect(last["expires_at"] == .null)
            #expect(try await office.site.call(.get, path + "&status=ready", as: office.superAdmin).json.all("visitor_id") == ["v0"])
            #expect(try await office.site.call(.get, path + "&status=expired", as: office.superAdmin).json == [])
            #expect(try await office.site.call(.get, path + "&skip=1&limit=1", as: office.one.secret).json.all("visitor_id") == ["v2"])
        }
    }

    @Test("wrong queries and foreign queues")
    func refused() async throws {
        try await Office.with { office in
            let site = office.site
            #expect(try await site.call(.get, "/queue_users", as: office.one.viewer).wrongFields == ["queue_id"])
            let wrong = try await site.call(.get, "/queue_users?queue_id=x&status=gone&limit=1001&skip=-1", as: office.one.viewer)
            #expect(wrong.wrongFields == ["queue_id", "status", "skip", "limit"])
            let path = "/queue_users?queue_id=\(office.one.queue.id)"
            #expect(try await site.call(.get, path, as: office.other.admin).detail == "Queue not found")
            try await site.expect(401, .get, path)
            try await site.expect(401, .get, path, as: office.one.tenant.apiKey)
            try await site.expect(200, .head, path, as: office.one.viewer)
            try await site.expect(405, .post, path, as: office.one.viewer)
        }
    }

    @Test("an entry tells of its queue's message and redirect address, once let in")
    func entryBody() throws {
        let now = Timestamp(milliseconds: 1_800_000_000_000)
        var queue = try #require(
            Queue(id: .random(), fields: ["tenant": Identifier.random().compact, "slug": "q", "name": "q", "rate": "30", "enabled": "1"]))
        queue.message = "Soon"
        queue.redirectURL = "https://shop.example/in"
        func body(_ state: Entry.State, position: Int, finished: Timestamp?) -> JSON {
            let entry = Entry(
                queue: queue.id, id: .random(), sequence: 1, visitor: "v", state: state, joined: now, finished: finished,
                position: position,
                queueLength: 5, lastSeen: state == .waiting ? now : nil)
            var buffer = ByteBuffer()
            EntryBody(entry: entry, queue: queue, view: nil, tenant: nil, token: "t", passes: nil).write(into: &buffer)
            return (try? JSONScanner.scan(Array(buffer.readableBytesView))) ?? .null
        }
        let waiting = body(.waiting, position: 3, finished: nil)
        #expect(waiting.keys == Self.keys + Self.forecastKeys + ["message"])
        #expect(waiting["redirect_url"] == .null)
        #expect(waiting["eta_seconds"] == 6)
        #expect(waiting["expires_at"] == "2027-01-15T08:10:00.000000")
        let ready = body(.released, position: 0, finished: now.adding(seconds: 61))
        #expect(ready["redirect_url"] == "https://shop.example/in")
        #expect(ready["wait_time"] == 61)
        #expect(body(.expired, position: 0, finished: now)["redirect_url"] == .null)
        queue.waitTTLSeconds = 0
        queue.ratePerMinute = 0
        #expect(body(.waiting, position: 3, finished: nil)["expires_at"] == .null)
        #expect(body(.waiting, position: 3, finished: nil)["eta_seconds"] == .null)
    }

    @Test("polls are asked for seldom far back, often near the front, never in step")
    func pollAfter() {
        func range(_ position: Int, _ rate: Double, _ waitTTLSeconds: Int = 600) -> ClosedRange<Int> {
            let delays = (0..<200).map { _ in PollPace.pause(position: position, rate: rate, waitTTLSeconds: waitTTLSeconds) }
            return delays.min()!...delays.max()!
        }
        for (position, rate) in [(1, 0.0), (20, 0.1), (5000, 60_000)] {
            #expect(range(position, rate).lowerBound >= 1200 && range(position, rate).upperBound <= 1800)
        }
        for (position, rate) in [(100_000, 10.0), (100_000, 0)] {
            #expect(range(position, rate).lowerBound >= 12_000 && range(position, rate).upperBound <= 18_000)
        }
        #expect(range(100, 60).lowerBound >= 4000 && range(100, 60).upperBound <= 6000)
        #expect(range(100, 60).count > 1)
        #expect(range(100_000, 10, 20).upperBound <= 6000)
    }
}
