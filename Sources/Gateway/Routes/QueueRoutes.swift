import HTTPTypes
import Hummingbird
import WaitingRoom

/// The queues and their settings.
struct QueueRoutes {
    let room: Room

    var routes: [Route] {
        [
            Route(
                .post, "/queues/", access: .tenantAdmin,
                Operation(
                    tag: "Queues", summary: "Make a queue", body: Operation.schema("QueueDraft"), success: 201,
                    answer: Operation.schema("Queue"), failures: [404, 409, 413, 415, 422]),
                handler: create),
            Route(
                .get, "/queues/", access: .viewer,
                Operation(
                    tag: "Queues", summary: "The queues that the caller sees, by creation",
                    parameters: [.init(name: "application_id", place: .query, schema: ["type": "string", "format": "uuid"])]
                        + Paging.parameters,
                    answer: Operation.list(of: "Queue"), failures: [404, 422]),
                handler: list),
            Route(
                .get, "/queues/{id}", access: .viewer,
                Operation(tag: "Queues", summary: "One queue", answer: Operation.schema("Queue"), failures: [404]), handler: get),
            Route(
                .put, "/queues/{id}", access: .tenantAdmin,
                Operation(
                    tag: "Queues", summary: "Change the settings given; they rule within one second, for those already waiting too",
                    body: Operation.schema("QueueChange"), answer: Operation.schema("Queue"), failures: [404, 413, 415, 422]),
                handler: update),
            Route(
                .delete, "/queues/{id}", access: .tenantAdmin,
                Operation(tag: "Queues", summary: "Delete a queue: nobody joins it or is let in any more", success: 204, failures: [404]),
                handler: delete),
        ]
    }

    @Sendable func create(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .tenantAdmin)
        var fields = try await request.fields()
        let application = fields.identifier("application_id")
        let name = fields.text("name", length: 1...100)
        let slug = fields.optionalSlug("slug")
        let settings = QueueSettings(&fields)
        fields.checkTimes(settings, of: nil)
        try fields.check()
        guard let application else { throw GatewayError.applicationNotFound }
        let tenant = try await room.tenant(application, for: caller)
        guard let queue = try await room.queues.create(tenant: tenant.id, name: name, slug: slug, change: settings.apply) else {
            throw GatewayError.conflict("Slug already taken: choose another", code: "slug_taken")
        }
        await room.note("queue.create", on: queue.id, of: tenant.id, after: Self.json(queue), by: caller, context)
        return .json(Self.json(queue), status: .created)
    }

    @Sendable func list(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .viewer)
        var query = try request.queryFields()
        let application = query.optionalIdentifier("application_id")
        let paging = Paging(&query)
        try query.check()
        return .json(.array(paging.of(try await room.queues(of: application, for: caller)).map(Self.json)))
    }

    @Sendable func get(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .viewer)
        return .json(Self.json(try await room.queue(context.parameter("id"), for: caller).queue))
    }

    @Sendable func update(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .tenantAdmin)
        var fields = try await request.fields()
        let name = fields.optionalText("name", length: 1...100, null: false)
        let settings = QueueSettings(&fields)
        try fields.check()
        let before = try await room.queue(context.parameter("id"), for: caller).queue
        fields.checkTimes(settings, of: before)
        try fields.check()
        var queue = before
        if let name { queue.name = name }
        settings.apply(&queue)
        guard try await room.queues.update(queue, from: before) else { throw GatewayError.queueNotFound }
        await room.note(
            "queue.update", on: queue.id, of: queue.tenant, before: Self.json(before), after: Self.json(queue), by: caller, context)
        return .json(Self.json(queue))
    }

    @Sendable func delete(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .tenantAdmin)
        let queue = try await room.queue(context.parameter("id"), for: caller).queue
        guard try await room.queues.delete(queue.id, retentionHours: room.configuration.retentionHours) else {
            throw GatewayError.queueNotFound
        }
        await room.note("queue.delete", on: queue.id, of: queue.tenant, before: Self.json(queue), by: caller, context)
        return .noContent
    }

    static func json(_ queue: Queue) -> JSON {
        [
            "application_id": .string(queue.tenant.description), "name": .string(queue.name),
            "max_users_per_minute": .number(queue.ratePerMinute), "priority": .integer(queue.priority),
            "id": .string(queue.id.description), "created_at": .string(queue.created.zoneless), "is_active": .bool(queue.isActive),
            "slug": .string(queue.slug), "wait_ttl_seconds": .integer(queue.waitTTLSeconds), "message": .optional(queue.message),
            "unique_visitors": .bool(queue.uniqueVisitors), "redirect_url": .optional(queue.redirectURL),
            "return_hosts": .array(queue.returnHosts.map(JSON.string)), "lang": .string(queue.language), "theme": .string(queue.theme),
            "state": .string(queue.state.rawValue), "on_outage": .string(queue.onOutage.rawValue),
            "session_seconds": .integer(queue.sessionSeconds), "session_renewal": .bool(queue.renewsSessions),
            "max_active_users": .integer(queue.maximumActive), "activation": .string(queue.activation.rawValue),
            "opens_at": .optional(queue.opensAt?.rfc3339), "closes_at": .optional(queue.closesAt?.rfc3339),
            "pre_queue_order": .string(queue.preQueueOrder.rawValue), "shuffle_commitment": .optional(queue.shuffleCommitment),
            "challenge": .string(queue.challenge.rawValue), "challenge_bits": .integer(queue.challengeBits),
            "invitations": .string(queue.invitations.rawValue),
        ]
    }
}
