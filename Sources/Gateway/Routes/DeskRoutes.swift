import HTTPTypes
import Hummingbird
import WaitingRoom

/// What a desk does with its admin key.
struct DeskRoutes {
    let room: Room

    var routes: [Route] {
        [
            step(
                "serve-next", "Call and serve the first in line in one step", body: Self.nextBody, answer: Operation.schema("Served"),
                handler: serveNext),
            step(
                "call-next", "Serve whom this desk has called, and call the first in line", body: Self.nextBody,
                answer: Operation.schema("Called"), handler: callNext),
            step("recall", "Call somebody again") { desk, user in try await desk.recall(user) },
            step("serve", "Be done with somebody who was called") { desk, user in try await desk.serve(user) },
            step("no-show", "Give up on somebody who was called and did not come") { desk, user in try await desk.noShow(user) },
            step("return", "Put somebody who was called, or did not come, back at the place they had") { desk, user in
                try await desk.return(user)
            },
            step("undo", "Take back this desk's last step, once") { desk, _ in try await desk.undo() },
            step(
                "transfer", "Move somebody to another service type (they keep their place) or another queue (at its end)",
                body: Self.body([
                    .init("user_id", Self.userID), .init("queue_id", ["type": "string", "description": "Slug of the other queue"]),
                    .init(
                        "service_type_id",
                        ["type": ["string", "null"], "format": "uuid", "description": "Of this queue; null for none"]),
                ]), answer: Self.entryAnswer, failures: [409], handler: transfer),
            Route(
                .get, "/api/{tenant}/{queue}/calls", access: .anyone,
                Operation(
                    tag: "Walk-in", summary: "Who is called to which desk, the latest first; a private queue with its admin key",
                    answer: Operation.schema("CallList"), failures: [403, 404, 503]),
                handler: calls),
            Route(
                .get, "/api/{tenant}/{queue}/today", access: .adminKey,
                Operation(
                    tag: "Walk-in", summary: "How the day (UTC) has gone so far", answer: Operation.schema("Today"),
                    failures: [403, 404, 503]),
                handler: today),
            Route(
                .post, "/api/{tenant}/{queue}/boost", access: .anyone,
                Operation(
                    tag: "Walk-in", summary: "Retired: the order is strictly first come, first served", success: 410,
                    answer: Operation.schema("WalkInError")),
                handler: boost),
        ]
    }

    // MARK: What the steps have in common

    private static let userID: JSON = [
        "type": "string", "format": "uuid", "description": "Whom it is about; whom this desk called last when it is left out",
    ]
    private static let nextBody = body([.init("service_type_id", ["type": "string", "format": "uuid"])])
    private static let entryAnswer: JSON = [
        "type": "object", "required": ["entry"], "properties": ["entry": Operation.schema("WalkIn")],
    ]

    private static func body(_ more: [JSON.Member]) -> JSON {
        let desk = JSON.Member("desk", ["type": "string", "maxLength": 40, "description": "The desk's name, as screens show it"])
        return ["type": "object", "properties": .object([desk] + more)]
    }

    private func step(
        _ verb: String, _ summary: String, body: JSON, answer: JSON, failures: [Int] = [], handler: @escaping Route.Handler
    ) -> Route {
        Route(
            .post, "/api/{tenant}/{queue}/\(verb)", access: .adminKey,
            Operation(
                tag: "Walk-in", summary: summary, body: body, answer: answer,
                failures: ([400, 403, 404, 413, 415, 503] + failures).sorted()),
            handler: handler)
    }

    /// A step about one person, who is the answer.
    private func step(
        _ verb: String, _ summary: String, take: @escaping @Sendable (Desk, Identifier?) async throws -> DeskStep
    ) -> Route {
        step(verb, summary, body: Self.body([.init("user_id", Self.userID)]), answer: Self.entryAnswer, failures: [409]) {
            request, context in
            var (call, fields) = try await open(request, context)
            let user = fields.optionalIdentifier("user_id")
            try fields.check()
            return try await answer(try await take(call.desk, user), call, named: user != nil)
        }
    }

    private struct Call {
        let desk: Desk
        let queue: Queue
        let tenant: Tenant
    }

    /// The desk that a request speaks for.
    /// - Throws: ``GatewayError`` 403 without the queue's admin key.
    private func open(_ request: Request, _ context: GatewayContext) async throws -> (Call, Fields) {
        let (queue, tenant) = try await room.walkInQueue(context)
        try room.checkAdminKey(request, of: queue)
        var fields = try await request.fields(orNothing: true)
        let name = fields.optionalText("desk", length: 0...40) ?? ""
        return (Call(desk: room.queues.desk(name, of: queue.id), queue: queue, tenant: tenant), fields)
    }

    private func answer(_ step: DeskStep, _ call: Call, named: Bool) async throws -> Response {
        switch step {
        case .done(let entry): return .json(["entry": try await room.walkInBody(entry, call.queue, call.tenant).json])
        case .nobody where named: throw GatewayError.userNotFound
        case .nobody: throw GatewayError.conflict("This desk has nobody to do that to: call the next customer first", code: "nobody_called")
        case .refused(let refusal): throw GatewayError.conflict(refusal.message, code: "step_refused")
        }
    }

    // MARK: Steps with bodies of their own

    @Sendable func serveNext(_ request: Request, context: GatewayContext) async throws -> Response {
        try await next(request, context, key: "served") { desk, type in try await desk.serveNext(serviceType: type) }
    }

    @Sendable func callNext(_ request: Request, context: GatewayContext) async throws -> Response {
        try await next(request, context, key: "called") { desk, type in try await desk.call(serviceType: type) }
    }

    private func next(
        _ request: Request, _ context: GatewayContext, key: String, take: (Desk, Identifier?) async throws -> DeskStep
    ) async throws -> Response {
        var (call, fields) = try await open(request, context)
        let type = fields.isNull("service_type_id") ? nil : fields.optionalIdentifier("service_type_id")
        try fields.check()
        guard case .done(let entry) = try await take(call.desk, type) else { return .json(["message": "queue is empty"]) }
        return .json(.object([.init(key, try await room.walkInBody(entry, call.queue, call.tenant).servedJSON)]))
    }

    @Sendable func transfer(_ request: Request, context: GatewayContext) async throws -> Response {
        var (call, fields) = try await open(request, context)
        let user = fields.optionalIdentifier("user_id")
        let target = fields.optionalText("queue_id", null: false)
        let type = fields.isNull("service_type_id") ? nil : fields.optionalIdentifier("service_type_id")
        if fields.has("queue_id") == fields.has("service_type_id") {
            fields.note("queue_id", type: "value_error", "Either queue_id or service_type_id should say where to")
        }
        try fields.check()
        if let target {
            guard let other = try await room.queues.find(target, of: call.tenant.id), other.id != call.queue.id, other.isActive else {
                throw GatewayError.invalid("queue_id", type: "value_error", "Input should name another queue", input: .string(target))
            }
            return try await answer(try await call.desk.transfer(user, to: other), call, named: user != nil)
        }
        let serviceType = try await room.serviceType(type, of: call.queue)
        return try await answer(try await call.desk.transfer(user, to: serviceType), call, named: user != nil)
    }

    // MARK: Looking on

    @Sendable func calls(_ request: Request, context: GatewayContext) async throws -> Response {
        let (queue, tenant) = try await room.walkInQueue(context)
        try room.checkPublic(request, queue)
        let isDesk = room.carriesAdminKey(request, of: queue)
        let calls = try await room.queues.calls(queue.id).map {
            WalkInBody(entry: $0.entry, queue: queue, tenant: tenant, hidesName: !isDesk).call($0)
        }
        return .json(["count": .integer(calls.count), "calls": .array(calls)])
    }

    @Sendable func today(_ request: Request, context: GatewayContext) async throws -> Response {
        let (queue, _) = try await room.walkInQueue(context)
        try room.checkAdminKey(request, of: queue)
        let statistics = try await room.queues.statistics(of: [queue.id])
        let now = Timestamp.now()
        let day = statistics[0].days[now.day] ?? QueueStatistics.Totals()
        return .json([
            "date": .string(now.date), "waiting": .integer(statistics[0].waiting), "joined": .integer(day.joined),
            "called": .integer(day.released), "expired": .integer(day.expired), "cancelled": .integer(day.cancelled),
            "average_minutes": .decimal(try await room.queues.averageServiceMinutes(queue)),
        ])
    }

    @Sendable func boost(_ request: Request, context: GatewayContext) async throws -> Response {
        throw GatewayError(
            status: .gone, code: "boost_retired", message: "Boosting is retired: the order is strictly first come, first served")
    }
}

extension DeskStep.Refusal {
    fileprivate var message: String {
        switch self {
        case .waiting: "They are waiting in line: call them first"
        case .called: "They have been called: say first what became of that"
        case .served: "They have been served already"
        case .noShow: "They were given up as not having come: put them back in line first"
        case .transferred: "They were transferred to another queue"
        case .left: "They have left the line"
        case .busy: "This desk is with somebody else: say first what became of that"
        case .visitor: "They came by a website, whose ticket is good for this queue alone"
        }
    }
}
