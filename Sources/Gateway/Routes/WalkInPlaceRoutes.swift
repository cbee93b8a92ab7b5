import CoreMetrics
import HTTPTypes
import Hummingbird
import WaitingRoom

/// Joining a walk-in line by name, seeing one's place, leaving, and the line as everybody sees it.
struct WalkInPlaceRoutes {
    let room: Room

    var routes: [Route] {
        [
            Route(
                .post, "/api/{tenant}/{queue}/join", access: .anyone,
                Operation(
                    tag: "Walk-in", summary: "Join by name; a private queue with its admin key",
                    parameters: [
                        .init(name: "Idempotency-Key", place: .header, schema: ["type": "string", "minLength": 16, "maxLength": 64])
                    ], body: Operation.schema("WalkInJoin"), success: 201, answer: Operation.schema("WalkInPlace"),
                    failures: [400, 403, 404, 413, 415, 429, 503]),
                handler: join),
            Route(
                .get, "/api/{tenant}/{queue}/status/{user}", access: .anyone,
                Operation(
                    tag: "Walk-in", summary: "Where one person stands, also after their turn",
                    parameters: [
                        .init(name: "user", place: .path, schema: ["type": "string", "format": "uuid"], isRequired: true),
                        .init(
                            name: "token", place: .query, schema: ["type": "string"],
                            meaning: "The person's own, as joining answered: puts them back should the server have lost their place"),
                    ],
                    answer: Operation.schema("WalkInPlace"), failures: [404, 503]),
                handler: status),
            Route(
                .post, "/api/{tenant}/{queue}/leave", access: .ticket,
                Operation(
                    tag: "Walk-in", summary: "Give up one's place",
                    body: ["type": "object", "required": ["token"], "properties": ["token": ["type": "string"]]],
                    answer: ["type": "object", "required": ["entry"], "properties": ["entry": Operation.schema("WalkIn")]],
                    failures: [400, 404, 413, 415, 503]),
                handler: leave),
            Route(
                .get, "/api/{tenant}/{queue}/list", access: .anyone,
                Operation(
                    tag: "Walk-in", summary: "Who waits, in order; a private queue with its admin key",
                    parameters: [
                        .init(name: "limit", place: .query, schema: ["type": "integer", "minimum": 1, "maximum": 1000, "default": 200])
                    ],
                    answer: Operation.schema("WalkInList"), failures: [400, 403, 404, 503]),
                handler: list),
        ]
    }

    @Sendable func join(_ request: Request, context: GatewayContext) async throws -> Response {
        var fields = try await request.fields()
        let name = fields.walkInName()
        let token = fields.optionalText("token", length: 0...TicketSigner.maximumLength)
        let typeID = fields.isNull("service_type_id") ? nil : fields.optionalIdentifier("service_type_id")
        let key = request.headers[.idempotencyKey]
        fields.checkIdempotencyKey(key)
        try fields.checkScope(context, queue: true)
        try fields.check()

        try await room.limits?.join(context.clientAddress(room, request))
        let (queue, tenant) = try await joinable(context)
        try room.checkPublic(request, queue)
        if queue.asksProof, !room.carriesAdminKey(request, of: queue) { throw GatewayError.joinsElsewhere }
        let type = try await room.serviceType(typeID, of: queue)
        var join = Queues.JoinRequest(queue: queue, walkIn: WalkIn(name: name, serviceType: type))
        join.idempotencyKey = key
        join.ticket = token.flatMap { room.queues.signer.verify($0, for: queue) }
        guard let joined = try await room.queues.join(join) else { throw try await room.refusal(toJoin: queue.id) }
        room.metrics.joined(joined)
        var entry = joined.entry
        if entry.position == 0, let current = try await room.queues.currentStatus(of: entry.id, in: queue.id) { entry = current }
        return try await place(entry, queue, tenant, token: joined.token, status: .created)
    }

    /// The queue to join. Where tenants are open, one that nobody created is made, without a desk's key until somebody claims it.
    private func joinable(_ context: GatewayContext) async throws -> Room.WalkInQueue {
        guard room.configuration.openTenants else { return try await room.walkInQueue(context) }
        let slug = try context.parameter("queue")
        guard Slug.isValid(slug) else { throw GatewayError.queueNotFound }
        let tenant = try await room.openTenant(try context.parameter("tenant"))
        guard tenant.isActive else { throw GatewayError.queueNotFound }
        if let queue = try await room.queues.find(slug, of: tenant.id) { return (queue, tenant) }
        try await room.checkOpenQueues(of: tenant)
        let made = try await room.queues.create(tenant: tenant.id, name: slug, slug: slug) {
            $0.ratePerMinute = 0
            $0.waitTTLSeconds = 0
            $0.averageServiceMinutes = room.configuration.averageServiceMinutes
            $0.adminKeyHash = nil
        }
        if let made { return (made, tenant) }
        guard let queue = try await room.queues.find(slug, of: tenant.id) else { throw GatewayError.queueNotFound }
        return (queue, tenant)
    }

    @Sendable func status(_ request: Request, context: GatewayContext) async throws -> Response {
        var query = try request.queryFields()
        let token = query.optionalText("token", length: 1...TicketSigner.maximumLength)
        try query.check()
        let (queue, tenant) = try await room.walkInQueue(context)
        guard let id = Identifier(uuid: try context.parameter("user")) else { throw GatewayError.userNotFound }
        var entry = try await room.queues.currentStatus(of: id, in: queue.id)
        if entry == nil, let ticket = token.flatMap({ room.queues.signer.verify($0, for: queue) }), ticket.entry == id {
            entry = try await room.queues.status(ticket)
        }
        guard let entry else { throw GatewayError.userNotFound }
        return try await place(entry, queue, tenant, hidesName: !room.carriesAdminKey(request, of: queue))
    }

    @Sendable func leave(_ request: Request, context: GatewayContext) async throws -> Response {
        var fields = try await request.fields()
        let token = fields.text("token", length: 1...TicketSigner.maximumLength)
        try fields.check()
        let (queue, tenant) = try await room.walkInQueue(context)
        // The place to leave is where they stand now, which may be in a queue that they were transferred to.
        guard let ticket = room.queues.signer.verify(token, for: queue),
            try await room.queues.status(ticket) != nil, let place = try await room.queues.currentStatus(of: ticket.entry, in: queue.id),
            try await room.queues.cancel(place.id, in: place.queue),
            let entry = try await room.queues.status(of: place.id, in: place.queue)
        else { throw GatewayError.tokenNotFound }
        return .json(["entry": try await room.walkInBody(entry, queue, tenant).json])
    }

    @Sendable func list(_ request: Request, context: GatewayContext) async throws -> Response {
        var query = try request.queryFields()
        let limit = query.integer("limit", 1...1000, fallback: 200)
        try query.check()
        let (queue, tenant) = try await room.walkInQueue(context)
        try room.checkPublic(request, queue)
        let average = try await room.queues.averageServiceMinutes(queue)
        let hidesName = !room.carriesAdminKey(request, of: queue)
        // Before an opening that draws lots nobody has a place that others may see.
        let shown = queue.isDrawing() && hidesName ? 0 : limit
        let entries = try await room.queues.list(queue.id, states: [.waiting], skip: 0, limit: max(1, shown))
        let rows = entries.prefix(shown).map {
            WalkInBody(entry: $0, queue: queue, tenant: tenant, hidesName: hidesName).row(averageMinutes: average)
        }
        return .json(
            .object([.init("count", .integer(entries.first?.queueLength ?? 0)), .init("queue", .array(rows))] + message(of: queue)))
    }

    private func place(
        _ entry: Entry, _ queue: Queue, _ tenant: Tenant, token: String? = nil, hidesName: Bool = false,
        status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        let body = try await room.walkInBody(entry, queue, tenant, hidesName: hidesName)
        let average = try await room.queues.averageServiceMinutes(body.queue)
        let position = queue.isDrawing() ? 0 : entry.position
        return .json(
            .object(
                [
                    .init("entry", body.json),
                    .init("position", .integer(position)), .init("eta_minutes", WalkInBody.eta(position, average)),
                ] + (token.map { [.init("token", .string($0))] } ?? []) + message(of: body.queue)), status: status)
    }

    /// The operator's line of text, where there is one.
    private func message(of queue: Queue) -> [JSON.Member] { queue.message.map { [.init("message", .string($0))] } ?? [] }
}

extension GatewayError {
    static let userNotFound = notFound("User not found", code: "user_not_found")
}
