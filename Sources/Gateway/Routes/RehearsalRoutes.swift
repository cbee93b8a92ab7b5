import Hummingbird
import NIOPosix
import WaitingRoom

/// Trying a queue out before its event.
struct RehearsalRoutes {
    static let mostVisitors = 2_000_000
    static let mostMinutes = 10_080

    let room: Room

    var routes: [Route] {
        [
            Route(
                .post, "/queues/{id}/rehearsals", access: .viewer,
                Operation(
                    tag: "Queues", summary: "How the queue would take a crowd, on a virtual clock; nobody is put in line",
                    body: Operation.schema("RehearsalDraft"), answer: Operation.schema("Rehearsal"), failures: [404, 413, 415, 422]),
                handler: rehearse)
        ]
    }

    @Sendable func rehearse(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .viewer)
        var fields = try await request.fields()
        let queue = try await room.queue(context.parameter("id"), for: caller).queue
        let rehearsal = Self.rehearsal(&fields, of: queue)
        try fields.check()
        // A million visitors take a second or two, which no event loop has.
        let result = try await NIOThreadPool.singleton.runIfActive { rehearsal.run() }
        return .json([
            "waiting": .array(
                result.points.map { ["minute": .integer($0.minute), "waiting": .integer($0.waiting), "released": .integer($0.released)] }),
            "wait_p50_seconds": Self.number(result.waitP50Seconds), "wait_p95_seconds": Self.number(result.waitP95Seconds),
            "wait_p99_seconds": Self.number(result.waitP99Seconds),
            "finished_after_minutes": Self.number(result.finishedAfterMinutes), "gave_up": .integer(result.gaveUp),
        ])
    }

    static func rehearsal(_ fields: inout Fields, of queue: Queue) -> Rehearsal {
        let counts = fields.optionalCounts("arrivals", most: mostMinutes, total: mostVisitors)
        let word = counts == nil ? fields.choice("arrivals", of: ["steady", "burst"]) : nil
        if counts == nil, !fields.has("visitors") { fields.note("visitors", type: "missing", "Field required") }
        let minutes = fields.integer("duration_minutes", 1...mostMinutes, fallback: 60)
        return Rehearsal(
            visitors: fields.integer("visitors", 1...mostVisitors, fallback: 1),
            arrivals: counts.map { .perMinute($0) } ?? (word == "burst" ? .burst : .steady), durationMinutes: counts?.count ?? minutes,
            ratePerMinute: fields.rate("max_users_per_minute") ?? queue.ratePerMinute,
            maximumActive: fields.integer("max_active_users", 0...Queue.maximumCapacity, fallback: queue.maximumActive),
            sessionSeconds: fields.number("session_seconds", 1...86_400, fallback: Double(queue.sessionSeconds)) ?? 600,
            leaveShare: fields.number("leave_share", 0...1, fallback: 0) ?? 0,
            seed: UInt64(fields.integer("seed", 0...1_000_000_000, fallback: 1)))
    }

    private static func number(_ value: Double?) -> JSON { value.map { .number(($0 * 1000).rounded() / 1000) } ?? .null }
}

extension Fields {
    /// An optional list of whole numbers; `nil` when it is absent or no list at all.
    fileprivate mutating func optionalCounts(_ name: String, most: Int, total: Int) -> [Int]? {
        guard let items = list(name) else { return nil }
        let counts = items.compactMap { item in if case .integer(let count) = item, count >= 0 { Int(count) } else { nil as Int? } }
        guard counts.count == items.count, (1...most).contains(counts.count), counts.allSatisfy({ $0 <= total }),
            (1...total).contains(counts.reduce(0, +))
        else {
            note(
                name, type: "list_type",
                "Input should be 'steady', 'burst' or up to \(most) counts, one for each minute, of 1 to \(total) people")
            return [1]
        }
        return counts
    }
}
