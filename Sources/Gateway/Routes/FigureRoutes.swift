import Hummingbird
import WaitingRoom

/// How queues do now, and how they did over the last hours and days.
struct FigureRoutes {
    /// Seconds over which the live figures tell of waits.
    static let waitsSeconds = 300

    let room: Room

    var routes: [Route] {
        [
            Route(
                .get, "/dashboard/live", access: .viewer,
                Operation(
                    tag: "Dashboard", summary: "How each queue does now, by creation",
                    parameters: [.init(name: "application_id", place: .query, schema: ["type": "string", "format": "uuid"])]
                        + Paging.parameters,
                    answer: Operation.list(of: "LiveQueue"), failures: [404, 422]),
                handler: live),
            Route(
                .get, "/queues/{id}/series", access: .viewer,
                Operation(
                    tag: "Queues",
                    summary: "How a queue did by the minute, or with `days` by the hour, oldest first; the last step is not over",
                    parameters: [
                        .init(name: "minutes", place: .query, schema: ["type": "integer", "minimum": 1, "maximum": 1440, "default": 60]),
                        .init(name: "days", place: .query, schema: ["type": "integer", "minimum": 1, "maximum": 30]),
                    ], answer: Operation.schema("Series"), failures: [404, 422]),
                handler: series),
        ]
    }

    @Sendable func live(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .viewer)
        var query = try request.queryFields()
        let application = query.optionalIdentifier("application_id")
        let paging = Paging(&query)
        try query.check()
        let queues = paging.of(try await room.queues(of: application, for: caller))
        return .json(.array(try await room.figures(of: queues).map(Self.json)))
    }

    @Sendable func series(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .viewer)
        var query = try request.queryFields()
        let minutes = query.integer("minutes", 1...1440, fallback: 60)
        let days = query.has("days") ? query.integer("days", 1...30, fallback: 7) : nil
        if days != nil, query.has("minutes") {
            query.note("days", type: "value_error", "Give minutes or days, not both")
        }
        try query.check()
        let queue = try await room.queue(context.parameter("id"), for: caller).queue
        return .json(Self.json(try await room.queues.series(of: queue.id, over: days.map { .days($0) } ?? .minutes(minutes))))
    }

    private static func json(_ queue: Queue, _ figures: QueueFigures) -> JSON {
        [
            "queue_id": .string(queue.id.description), "application_id": .string(queue.tenant.description), "name": .string(queue.name),
            "is_active": .bool(queue.isActive), "max_users_per_minute": .number(queue.ratePerMinute),
            "waiting_users": .integer(figures.waiting), "released_last_minute": .integer(figures.releasedLastMinute),
            "joined": .integer(figures.total.joined), "released": .integer(figures.total.released),
            "expired": .integer(figures.total.expired), "cancelled": .integer(figures.total.cancelled),
            "wait_p50_seconds": seconds(figures.waitMedian), "wait_p95_seconds": seconds(figures.wait95th),
            "callbacks_pending": .integer(figures.callbacksOwed), "callbacks_failing": .integer(figures.callbacksFailing),
            "callbacks_dead": .integer(figures.deadLetters),
            "data_lost_at": .optional(figures.lostAt?.rfc3339), "restored_users": .integer(figures.restored),
        ]
    }

    private static func json(_ series: QueueSeries) -> JSON {
        [
            "step_seconds": .integer(series.stepSeconds),
            "points": .array(
                series.steps.map { step in
                    [
                        "at": .string(step.began.rfc3339), "waiting": .integer(step.waiting), "joined": .integer(step.joined),
                        "released": .integer(step.released), "expired": .integer(step.expired), "cancelled": .integer(step.cancelled),
                        "wait_p50_seconds": seconds(step.waitMedian), "wait_p95_seconds": seconds(step.wait95th),
                    ]
                }),
        ]
    }

    private static func seconds(_ wait: Duration?) -> JSON { wait.map { .number(Double($0.milliseconds) / 1000) } ?? .null }
}

extension Room {
    /// How each of `queues` does now, in their order.
    func figures(of queues: [Queue]) async throws -> [(Queue, QueueFigures)] {
        try await withThrowingTaskGroup(of: (Int, QueueFigures?).self) { group in
            for (index, queue) in queues.enumerated() {
                group.addTask { (index, try await self.queues.figures(of: queue.id, waits: .seconds(FigureRoutes.waitsSeconds))) }
            }
            var found = [QueueFigures?](repeating: nil, count: queues.count)
            for try await (index, figures) in group { found[index] = figures }
            return zip(queues, found).compactMap { queue, figures in figures.map { (queue, $0) } }
        }
    }
}
