import HTTPTypes
import Testing
import WaitingRoom

@testable import Gateway

@Suite("POST /queues/{id}/rehearsals")
struct RehearsalRoutesTests {
    @Test("a viewer rehearses; the real queue is not touched")
    func rehearse() async throws {
        try await Office.with { office in
            let path = "/queues/\(office.one.queue.id)/rehearsals"
            let answer = try await office.site.expect(
                200, .post, path, as: office.one.viewer,
                json: [
                    "visitors": 1200, "arrivals": "burst", "duration_minutes": 1, "max_users_per_minute": 60, "leave_share": 0, "seed": 3,
                ])
            #expect(
                answer.json.keys == [
                    "waiting", "wait_p50_seconds", "wait_p95_seconds", "wait_p99_seconds", "finished_after_minutes", "gave_up",
                ])
            #expect(answer.json["waiting"]?.array?.count == 20)
            #expect(answer.json["waiting"]?.array?.first == ["minute": 1, "waiting": 1140, "released": 60])
            #expect(answer.json["gave_up"] == 0)
            let counts = try await office.site.expect(200, .post, path, as: office.one.viewer, json: ["arrivals": [5, 0, 5]])
            #expect(counts.json["waiting"]?.array?.count == 3)
            #expect(try await office.site.room.queues.statistics(of: [office.one.queue.id])[0].total.joined == 0)
        }
    }

    @Test("what is wrong is said, and others' queues are not there")
    func refused() async throws {
        try await Office.with { office in
            let path = "/queues/\(office.one.queue.id)/rehearsals"
            let bodies: [JSON] = [
                .object([]), ["visitors": 0], ["visitors": 2_000_001], ["visitors": 1, "arrivals": "flood"], ["arrivals": .array([])],
                ["arrivals": [1, -1]], ["arrivals": ["1"]], ["visitors": 1, "duration_minutes": 0], ["visitors": 1, "leave_share": 2],
                ["visitors": 1, "session_seconds": 0], ["arrivals": [2_000_000, 1]],
                ["arrivals": [4_611_686_018_427_387_904, 4_611_686_018_427_387_904]],
            ]
            for body in bodies { try await office.site.expect(422, .post, path, as: office.one.viewer, json: body) }
            try await office.site.expect(404, .post, path, as: office.other.viewer, json: ["visitors": 1])
            try await office.site.expect(401, .post, path, json: ["visitors": 1])
        }
    }
}
