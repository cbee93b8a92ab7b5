import Hummingbird
import WaitingRoom

/// Figures for the owners of queues, over all that the caller sees.
struct DashboardRoutes {
    let room: Room

    var routes: [Route] {
        [
            Route(
                .get, "/dashboard/summary", access: .viewer,
                Operation(tag: "Dashboard", summary: "Totals", answer: Operation.schema("Summary")), handler: summary),
            Route(
                .get, "/dashboard/queue_stats", access: .viewer,
                Operation(tag: "Dashboard", summary: "Figures of each queue", answer: Operation.list(of: "QueueStats")), handler: queueStats
            ),
            Route(
                .get, "/dashboard/callback_errors", access: .viewer,
                Operation(
                    tag: "Dashboard", summary: "Callbacks that were given up, newest first",
                    parameters: [
                        .init(name: "limit", place: .query, schema: ["type": "integer", "minimum": 1, "maximum": 100, "default": 50])
                    ], answer: Operation.list(of: "CallbackError"), failures: [422]),
                handler: callbackErrors),
            Route(
                .get, "/dashboard/analytics", access: .viewer,
                Operation(
                    tag: "Dashboard", summary: "The last days, oldest first",
                    parameters: [
                        .init(name: "app_id", place: .query, schema: ["type": "string", "format": "uuid"]),
                        .init(name: "days", place: .query, schema: ["type": "integer", "minimum": 1, "maximum": 30, "default": 7]),
                    ], answer: Operation.schema("Analytics"), failures: [404, 422]),
                handler: analytics),
        ]
    }

    @Sendable func summary(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .viewer)
        let tenants = try await room.tenants(for: caller)
        let queues = try await room.queues(for: caller)
        let statistics = try await room.queues.statistics(of: queues.map(\.id))
        let total = statistics.map(\.total).reduce(QueueStatistics.Totals(), +)
        return .json([
            "applications": .integer(tenants.count), "queues": .integer(queues.count), "total_users": .integer(total.joined),
            "waiting_users": .integer(statistics.map(\.waiting).reduce(0, +)), "ready_users": .integer(total.released),
            "expired_users": .integer(total.expired), "rejected_users": .integer(total.cancelled),
            "average_wait_time_seconds": Self.oneDecimal(total.averageWaitSeconds),
        ])
    }

    @Sendable func queueStats(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .viewer)
        let queues = try await room.queues(for: caller)
        let statistics = try await room.queues.statistics(of: queues.map(\.id))
        return .json(
            .array(
                zip(queues, statistics).map { queue, statistics in
                    [
                        "queue_id": .string(queue.id.description), "queue_name": .string(queue.name),
                        "max_users_per_minute": .number(queue.ratePerMinute), "priority": .integer(queue.priority),
                        "waiting_users": .integer(statistics.waiting), "ready_users": .integer(statistics.total.released),
                        "average_wait_time_seconds": Self.oneDecimal(statistics.total.averageWaitSeconds),
                    ]
                }))
    }

    @Sendable func callbackErrors(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .viewer)
        var query = try request.queryFields()
        let limit = query.integer("limit", 1...100, fallback: 50)
        try query.check()
        let queues = Dictionary(uniqueKeysWithValues: try await room.queues(for: caller).map { ($0.id, $0) })
        let letters = try await room.callbacks.deadLetters(of: Array(queues.keys), limit: limit)
        return .json(
            .array(letters.compactMap { letter in queues[letter.callback.queue].map { Self.json(letter, epoch: $0.epoch) } }))
    }

    @Sendable func analytics(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .viewer)
        var query = try request.queryFields()
        let application = query.optionalIdentifier("app_id")
        let days = query.integer("days", 1...30, fallback: 7)
        try query.check()
        let queues = try await room.queues(of: application, for: caller)
        let statistics = try await room.queues.statistics(of: queues.map(\.id))
        return .json(Self.analytics(statistics, days: days, now: .now()))
    }

    private static func json(_ letter: Callbacks.DeadLetter, epoch: Int32) -> JSON {
        let callback = letter.callback
        let status = letter.lastStatus.map { ", last status \($0)" } ?? ""
        let visitor = callback.visitorID.isEmpty ? "" : ", visitor \(callback.visitorID)"
        return [
            "id": .string(callback.id(epoch: epoch)), "message": .string(letter.error),
            "details": .string("Given up after \(callback.attempts) attempts\(status); entry \(callback.entry)\(visitor)"),
            "created_at": .string(letter.died.zoneless), "application_id": .string(letter.tenant.description),
            "queue_id": .string(callback.queue.description),
        ]
    }

    static func analytics(_ statistics: [QueueStatistics], days count: Int, now: Timestamp) -> JSON {
        let days = (now.day - count + 1)...now.day
        let byDay = days.map { day in (Timestamp(day: day).date, statistics.compactMap { $0.days[day] }.reduce(QueueStatistics.Totals(), +))
        }
        let total = byDay.map(\.1).reduce(QueueStatistics.Totals(), +)
        let distribution: [(Entry.State, Int)] = [
            (.waiting, statistics.map(\.waiting).reduce(0, +)), (.released, total.released), (.expired, total.expired),
            (.cancelled, total.cancelled),
        ]
        // People who joined before the period may be let in within it.
        let completion = total.joined == 0 ? 0 : min(100, Double(total.released) / Double(total.joined) * 100)
        return [
            "period": [
                "start_date": .string(Timestamp(day: days.lowerBound).zoneless), "end_date": .string(now.zoneless), "days": .integer(count),
            ],
            "daily_joins": .array(byDay.map { ["date": .string($0.0), "count": .integer($0.1.joined)] }),
            "status_distribution": .array(distribution.map { ["status": .string($0.0.word), "count": .integer($0.1)] }),
            "completion_rate_percent": oneDecimal(completion),
            "daily_wait_times": .array(
                byDay.map { ["date": .string($0.0), "avg_wait_time_seconds": oneDecimal($0.1.averageWaitSeconds)] }),
        ]
    }

    private static func oneDecimal(_ number: Double) -> JSON { .number((number * 10).rounded() / 10) }
}
