import HTTPTypes
import Hummingbird
import WaitingRoom

/// The callbacks that releases owe, and sending them again.
struct CallbackRoutes {
    let room: Room

    var routes: [Route] {
        [
            Route(
                .get, "/callbacks", access: .viewer,
                Operation(
                    tag: "Callbacks", summary: "Callbacks, those of the latest releases first",
                    parameters: [
                        .init(
                            name: "state", place: .query,
                            schema: ["type": "string", "enum": .array(CallbackStatus.State.allCases.map { .string($0.rawValue) })],
                            meaning: "Only those in this state"),
                        .init(
                            name: "application_id", place: .query, schema: ["type": "string", "format": "uuid"],
                            meaning: "Only those of this application"),
                        .init(
                            name: "queue_id", place: .query, schema: ["type": "string", "format": "uuid"],
                            meaning: "Only those of this queue"),
                        .init(name: "limit", place: .query, schema: ["type": "integer", "minimum": 1, "maximum": 200, "default": 50]),
                    ], answer: Operation.list(of: "Callback"), failures: [404, 422]),
                handler: list),
            Route(
                .post, "/callbacks/resend", access: .tenantAdmin,
                Operation(
                    tag: "Callbacks", summary: "Send an application's dead letters again, from the first attempt on",
                    parameters: [
                        .init(name: "application_id", place: .query, schema: ["type": "string", "format": "uuid"], isRequired: true)
                    ], success: 202, answer: Operation.schema("Resent"), failures: [404, 422]),
                handler: resendAll),
            Route(
                .post, "/callbacks/{id}/resend", access: .tenantAdmin,
                Operation(
                    tag: "Callbacks", summary: "Send one callback again: a dead or delivered one once more, a pending one at once",
                    success: 202, answer: Operation.schema("Resent"), failures: [404]),
                handler: resend),
        ]
    }

    @Sendable func list(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .viewer)
        var query = try request.queryFields()
        let state = query.choice("state", of: CallbackStatus.State.self)
        let application = query.optionalIdentifier("application_id")
        let queueID = query.optionalIdentifier("queue_id")
        let limit = query.integer("limit", 1...200, fallback: 50)
        try query.check()
        let queues =
            if let queueID {
                [try await room.queue(queueID.description, for: caller).queue].filter { application == nil || $0.tenant == application }
            } else {
                try await room.queues(of: application, for: caller)
            }
        let found = try await room.callbacks(of: queues, states: state.map { [$0] } ?? CallbackStatus.State.allCases, limit: limit)
        return .json(.array(found.map(Self.json)))
    }

    @Sendable func resend(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .tenantAdmin)
        guard let id = CallbackID(try context.parameter("id")) else { throw GatewayError.callbackNotFound }
        guard let queue = try await room.queues.get(id.queue), caller.sees(queue.tenant), queue.epoch == id.epoch else {
            throw GatewayError.callbackNotFound
        }
        try await room.tenants.refuseCallbacks(to: nil, of: queue.tenant)
        guard try await room.callbacks.resend([id.entry], of: queue.id) == 1 else { throw GatewayError.callbackNotFound }
        await room.note("callback.resend", on: id.entry, of: queue.tenant, by: caller, context)
        return .json(["resent": 1], status: .accepted)
    }

    @Sendable func resendAll(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .tenantAdmin)
        var query = try request.queryFields()
        let application = query.identifier("application_id")
        try query.check()
        guard let application else { throw GatewayError.applicationNotFound }
        var count = 0
        let queues = try await room.queues(of: application, for: caller).map(\.id)
        try await room.tenants.refuseCallbacks(to: nil, of: application)
        for queue in try await room.callbacks.holding(.dead, among: queues) {
            count += try await room.callbacks.resendDeadLetters(of: queue)
        }
        await room.note(
            "callback.resend_all", on: application, of: application, after: ["resent": .integer(count)], by: caller, context)
        return .json(["resent": .integer(count)], status: .accepted)
    }

    private static func json(_ queue: Queue, _ callback: Callbacks.Listed) -> JSON {
        let status = callback.status
        return [
            "id": .string(CallbackID(queue: queue.id, entry: callback.entry, joined: callback.joined, epoch: queue.epoch).text),
            "state": .string(status.state.rawValue), "attempts": .integer(status.attempts),
            "last_status": status.lastStatus.map { .integer($0) } ?? .null, "last_error": .optional(status.lastError),
            "next_attempt_at": status.state == .pending ? .string(status.time.rfc3339) : .null,
            "created_at": .string(callback.released.zoneless), "entry_id": .string(callback.entry.description),
            "queue_id": .string(queue.id.description), "application_id": .string(queue.tenant.description),
        ]
    }
}

extension Room {
    /// Callbacks of `queues`, those of the latest releases first.
    func callbacks(of queues: [Queue], states: [CallbackStatus.State], limit: Int) async throws -> [(Queue, Callbacks.Listed)] {
        let byID = Dictionary(uniqueKeysWithValues: queues.map { ($0.id, $0) })
        var found: [(queue: Queue, callback: Callbacks.Listed)] = []
        for state in states {
            for id in try await callbacks.holding(state, among: queues.map(\.id)) {
                guard let queue = byID[id] else { continue }
                found += try await callbacks.list(id, state, limit: limit).map { (queue, $0) }
            }
        }
        return Array(found.sorted { $0.callback.released > $1.callback.released }.prefix(limit))
    }
}

extension GatewayError {
    static let callbackNotFound = notFound("Callback not found", code: "callback_not_found")
}
