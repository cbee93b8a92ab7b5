import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import WaitingRoom

/// What happened in a walk-in line, for its desk.
struct EventRoutes {
    let room: Room

    var routes: [Route] {
        [
            Route(
                .get, "/api/{tenant}/{queue}/events", access: .adminKey,
                Operation(
                    tag: "Walk-in", summary: "The latest events, newest first; about 50,000 are kept",
                    parameters: [
                        .init(name: "limit", place: .query, schema: ["type": "integer", "minimum": 1, "maximum": 1000, "default": 100])
                    ], answer: Operation.schema("EventList"), failures: [400, 403, 404, 503]),
                handler: list),
            Route(
                .get, "/api/{tenant}/{queue}/events.csv", access: .adminKey,
                Operation(
                    tag: "Walk-in", summary: "The events of one day as a table, safe to open in a spreadsheet",
                    parameters: [
                        .init(
                            name: "date", place: .query, schema: ["type": "string", "format": "date"],
                            meaning: "A day in UTC; today when left out")
                    ], answer: ["type": "string"], answerType: "text/csv", failures: [400, 403, 404, 503]),
                handler: table),
        ]
    }

    @Sendable func list(_ request: Request, context: GatewayContext) async throws -> Response {
        let queue = try await open(request, context)
        var query = try request.queryFields()
        let limit = query.integer("limit", 1...1000, fallback: 100)
        try query.check()
        let events = try await room.queues.events(queue.id, limit: limit)
        return .json(["count": .integer(events.count), "events": .array(events.map(Self.json))])
    }

    private func open(_ request: Request, _ context: GatewayContext) async throws -> Queue {
        let (queue, _) = try await room.walkInQueue(context)
        try room.checkAdminKey(request, of: queue)
        return queue
    }

    private static func json(_ event: QueueEvent) -> JSON {
        var meta = [JSON.Member("name", .string(event.name))]
        if !event.serviceTypeCode.isEmpty { meta.append(.init("service_type_code", .string(event.serviceTypeCode))) }
        if !event.desk.isEmpty { meta.append(.init("desk", .string(event.desk))) }
        if event.isUndo { meta.append(.init("undo", true)) }
        return [
            "id": .string(event.id), "event_type": .string(event.kind), "user_id": .string(event.entry.description),
            "timestamp": .string(event.time.withOffset), "meta": .object(meta),
        ]
    }

    // MARK: As a table

    private static let batch = 1000

    @Sendable func table(_ request: Request, context: GatewayContext) async throws -> Response {
        let queue = try await open(request, context)
        var query = try request.queryFields()
        let date = query.optionalText("date")
        let day = date.map(Self.day) ?? Timestamp.now().day
        if day == nil { query.note("date", type: "date_parsing", "Input should be a day such as 2026-03-25") }
        try query.check()
        guard let day else { throw GatewayError.queueNotFound }

        let queues = room.queues
        let first = try await queues.events(queue.id, day: day, limit: Self.batch)
        let headers: HTTPFields = [
            .contentType: "text/csv; charset=utf-8; header=present", .cacheControl: "no-store",
            .contentDisposition: "attachment; filename=\"\(queue.slug)-\(Timestamp(day: day).date).csv\"",
        ]
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                // With the mark, spreadsheets take it for UTF-8.
                try await writer.write(ByteBuffer(string: "\u{FEFF}" + CSV.row(Self.columns)))
                var events = first
                while !events.isEmpty {
                    try await writer.write(ByteBuffer(string: events.map { CSV.row(Self.cells($0)) }.joined()))
                    events = try await queues.events(queue.id, day: day, after: events.last?.id, limit: Self.batch)
                }
                try await writer.finish(nil)
            })
    }

    /// Days since 1970 of `2026-03-25`; `nil` when it is no day, or one before.
    private static func day(_ date: String) -> Int? {
        guard let time = try? Date(date, strategy: .iso8601.year().month().day()) else { return nil }
        let day = Int(time.timeIntervalSince1970 / 86_400)
        return day >= 0 && Timestamp(day: day).date == date ? day : nil
    }

    private static let columns = ["timestamp", "event_type", "user_id", "name", "service_type_code", "desk", "undo"]

    private static func cells(_ event: QueueEvent) -> [String] {
        [
            event.time.withOffset, event.kind, event.entry.description, event.name, event.serviceTypeCode, event.desk,
            event.isUndo ? "yes" : "",
        ]
    }
}
