import HTTPTypes
import TestSupport
import Testing

@testable import Gateway
@testable import WaitingRoom

@Suite("Dashboard", .serialized)
struct DashboardRoutesTests {
    private static let paths = ["/dashboard/summary", "/dashboard/queue_stats", "/dashboard/callback_errors", "/dashboard/analytics"]

    @Test("the summary counts what the caller sees")
    func summary() async throws {
        try await Office.with { office in
            let joined = try await office.join(office.one, 3, release: 1)
            try await office.join(office.other, 2)
            let last = try #require(office.site.room.queues.signer.verify(joined[2].token))
            #expect(try await office.site.room.queues.cancel(last))
            let mine = try await office.site.call(.get, "/dashboard/summary", as: office.one.viewer)
            #expect(mine.status == 200)
            #expect(
                mine.json.keys == [
                    "applications", "queues", "total_users", "waiting_users", "ready_users", "expired_users", "rejected_users",
                    "average_wait_time_seconds",
                ])
            func counts(_ json: JSON) -> [JSON?] { json.keys.dropLast().map { json[$0] } }
            #expect(counts(mine.json) == [1, 1, 3, 1, 1, 0, 1])
            #expect(counts(try await office.site.call(.get, "/dashboard/summary", as: office.superAdmin).json) == [2, 2, 5, 3, 1, 0, 1])
        }
    }

    @Test("each queue has its figures")
    func queueStats() async throws {
        try await Office.with { office in
            try await office.join(office.one, 3, release: 2)
            let mine = try await office.site.call(.get, "/dashboard/queue_stats", as: office.one.secret)
            #expect(mine.json.array?.count == 1)
            let stats = try #require(mine.json.array?.first)
            #expect(
                stats.keys == [
                    "queue_id", "queue_name", "max_users_per_minute", "priority", "waiting_users", "ready_users",
                    "average_wait_time_seconds",
                ])
            #expect(stats["queue_id"] == .string(office.one.queue.id.description))
            #expect(stats["waiting_users"] == 1 && stats["ready_users"] == 2)
            let all = try await office.site.call(.get, "/dashboard/queue_stats", as: office.superAdmin)
            #expect(all.json.all("queue_name") == ["one queue", "other queue"])
        }
    }

    @Test("callbacks given up are listed, newest first, to those who own them")
    func callbackErrors() async throws {
        try await Office.with { office in
            let room = office.site.room
            for owned in [office.one, office.other] {
                try await office.join(owned, 2, release: 2)
                let due = try await room.callbacks.claim(owned.queue.id, limit: 10, lease: .seconds(60)).callbacks
                for callback in due {
                    let settled = try await room.callbacks.settle(callback, tenant: owned.tenant.id, .dead(error: "HTTP 500", status: 500))
                    #expect(settled)
                }
            }
            let mine = try await office.site.call(.get, "/dashboard/callback_errors", as: office.one.viewer)
            #expect(mine.json.array?.count == 2)
            let first = try #require(mine.json.array?.first)
            #expect(first.keys == ["id", "message", "details", "created_at", "application_id", "queue_id"])
            #expect(first["id"]?.string?.hasPrefix("msg_") == true)
            #expect(first["message"] == "HTTP 500")
            #expect(first["application_id"] == .string(office.one.tenant.id.description))
            #expect(first["queue_id"] == .string(office.one.queue.id.description))
            let times = mine.json.all("created_at")
            #expect(times == times.sorted(by: >))
            #expect(try await office.site.call(.get, "/dashboard/callback_errors?limit=3", as: office.superAdmin).json.array?.count == 3)
            #expect(try await office.site.call(.get, "/dashboard/callback_errors?limit=0", as: office.superAdmin).wrongFields == ["limit"])
            #expect(
                try await office.site.call(.get, "/dashboard/callback_errors?limit=101", as: office.superAdmin).wrongFields == ["limit"])
        }
    }

    @Test("analytics cover the days asked for, those with nothing too")
    func analytics() async throws {
        try await Office.with { office in
            try await office.join(office.one, 4, release: 1)
            try await office.join(office.other, 1)
            let week = try await office.site.call(.get, "/dashboard/analytics", as: office.one.viewer).json
            #expect(week.keys == ["period", "daily_joins", "status_distribution", "completion_rate_percent", "daily_wait_times"])
            #expect(week["period"]?.keys == ["start_date", "end_date", "days"])
            #expect(week["period"]?["days"] == 7)
            #expect(week["daily_joins"]?.array?.count == 7)
            #expect(week["daily_wait_times"]?.array?.count == 7)
            let dates = week["daily_joins"]?.all("date") ?? []
            #expect(dates == dates.sorted())
            #expect(week["status_distribution"]?.all("status") == ["waiting", "ready", "expired", "rejected"])
            #expect(week["status_distribution"]?.array?.map { $0["count"] } == [3, 1, 0, 0])
            #expect(week["completion_rate_percent"] == 25)
            func joins(_ query: String, as bearer: String) async throws -> Int64 {
                let answer = try await office.site.call(.get, "/dashboard/analytics?\(query)", as: bearer)
                return (answer.json["daily_joins"]?.array ?? []).reduce(0) { sum, day in
                    if case .integer(let count) = day["count"] { sum + count } else { sum }
                }
            }
            #expect(try await joins("days=30", as: office.superAdmin) == 5)
            #expect(try await joins("days=30&app_id=\(office.other.tenant.id)", as: office.superAdmin) == 1)
            let foreign = try await office.site.call(.get, "/dashboard/analytics?app_id=\(office.other.tenant.id)", as: office.one.viewer)
            #expect(foreign.status == 404)
            for days in ["0", "31", "x", "1.5"] {
                let wrong = try await office.site.call(.get, "/dashboard/analytics?days=\(days)&app_id=y", as: office.superAdmin)
                #expect(wrong.wrongFields == ["app_id", "days"])
            }
        }
    }

    @Test("rates and averages of analytics, to one decimal")
    func arithmetic() {
        let now = Timestamp(milliseconds: 1_800_000_000_000)
        let statistics = QueueStatistics(
            waiting: 4, total: .init(),
            days: [
                now.day: .init(joined: 2, released: 1, expired: 1, cancelled: 0, waitedMilliseconds: 1250),
                now.day - 1: .init(joined: 1, released: 1, waitedMilliseconds: 4000), now.day - 2: .init(joined: 100),
            ])
        let two = DashboardRoutes.analytics([statistics], days: 2, now: now)
        #expect(two["completion_rate_percent"] == .number(66.7))
        #expect(two["daily_joins"] == [["date": "2027-01-14", "count": 1], ["date": "2027-01-15", "count": 2]])
        #expect(two["daily_wait_times"]?.array?.compactMap { $0["avg_wait_time_seconds"] } == [.number(4), .number(1.3)])
        #expect(two["period"] == ["start_date": "2027-01-14T00:00:00.000000", "end_date": "2027-01-15T08:00:00.000000", "days": 2])
        let empty = DashboardRoutes.analytics([], days: 1, now: now)
        #expect(empty["completion_rate_percent"] == .number(0))
    }

    @Test("only those signed in; HEAD and 405", arguments: paths)
    func access(path: String) async throws {
        try await Office.with { office in
            try await office.site.expect(401, .get, path)
            try await office.site.expect(401, .get, path, as: office.one.tenant.apiKey)
            for bearer in [office.one.viewer, office.one.admin, office.one.secret, office.superAdmin] {
                try await office.site.expect(200, .get, path, as: bearer)
            }
            try await office.site.expect(200, .head, path, as: office.one.viewer)
            try await office.site.expect(405, .post, path, as: office.one.viewer)
        }
    }
}
