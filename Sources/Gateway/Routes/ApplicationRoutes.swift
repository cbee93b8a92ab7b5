import HTTPTypes
import Hummingbird
import WaitingRoom

/// The applications: tenants, as the QMS dialect calls them.
struct ApplicationRoutes {
    let room: Room

    var routes: [Route] {
        [
            Route(
                .post, "/applications/", access: .superAdmin,
                Operation(
                    tag: "Applications", summary: "Make an application; its secret key is shown this once",
                    body: Operation.schema("AppDraft"), success: 201, answer: Operation.schema("AppWithSecret"),
                    failures: [409, 413, 415, 422]),
                handler: create),
            Route(
                .get, "/applications/", access: .viewer,
                Operation(
                    tag: "Applications", summary: "The applications that the caller sees, by creation", parameters: Paging.parameters,
                    answer: Operation.list(of: "App"), failures: [422]),
                handler: list),
            Route(
                .get, "/applications/{id}", access: .tenantAdmin,
                Operation(tag: "Applications", summary: "One application", answer: Operation.schema("App"), failures: [404]), handler: get),
            Route(
                .put, "/applications/{id}", access: .tenantAdmin,
                Operation(
                    tag: "Applications", summary: "Change the fields given", body: Operation.schema("AppChange"),
                    answer: Operation.schema("App"), failures: [404, 413, 415, 422]),
                handler: update),
            Route(
                .delete, "/applications/{id}", access: .tenantAdmin,
                Operation(tag: "Applications", summary: "Delete an application and its queues", success: 204, failures: [404]),
                handler: delete),
            Route(
                .post, "/applications/{id}/rotate_keys", access: .tenantAdmin,
                Operation(
                    tag: "Applications", summary: "New keys; the old ones go on working for grace_seconds",
                    body: [
                        "type": "object",
                        "properties": ["grace_seconds": ["type": "integer", "minimum": 0, "maximum": 604_800, "default": 0]],
                    ], answer: Operation.schema("AppWithSecret"), failures: [404, 413, 415, 422]),
                handler: rotateKeys),
        ]
    }

    @Sendable func create(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .superAdmin)
        var fields = try await request.fields()
        let draft = Tenants.Draft(
            name: fields.text("name", length: 1...100), domain: fields.text("domain", length: 1...255),
            callbackURL: fields.optionalURL("callback_url"), redirectURL: fields.optionalURL("redirect_url"),
            slug: fields.optionalSlug("slug"), ratePerMinute: fields.optionalRate("max_users_per_minute"))
        try fields.check()
        guard let (tenant, secretKey) = try await room.tenants.create(draft) else {
            throw GatewayError.conflict("Slug already taken: choose another", code: "slug_taken")
        }
        await room.note("application.create", on: tenant.id, of: tenant.id, after: Self.json(tenant), by: caller, context)
        return Self.answer(tenant, secretKey: secretKey, status: .created)
    }

    @Sendable func list(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .viewer)
        var query = try request.queryFields()
        let paging = Paging(&query)
        try query.check()
        return .json(.array(paging.of(try await room.tenants(for: caller)).map { Self.json($0) }))
    }

    @Sendable func get(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .tenantAdmin)
        return Self.answer(try await room.tenant(context.parameter("id"), for: caller))
    }

    @Sendable func update(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .tenantAdmin)
        var fields = try await request.fields()
        let name = fields.optionalText("name", length: 1...100, null: false)
        let domain = fields.optionalText("domain", length: 1...255, null: false)
        let callbackURL = fields.optionalURL("callback_url")
        let redirectURL = fields.optionalURL("redirect_url")
        let rate = fields.optionalRate("max_users_per_minute")
        let isActive = fields.has("is_active") ? fields.flag("is_active", fallback: true) : nil
        try fields.check()

        let before = try await room.tenant(context.parameter("id"), for: caller)
        var tenant = before
        if let name { tenant.name = name }
        if let domain { tenant.domain = domain }
        if fields.has("callback_url") {
            tenant.callbackURL = callbackURL
            tenant.goneCallbackURL = nil
        }
        if fields.has("redirect_url") { tenant.redirectURL = redirectURL }
        if fields.has("max_users_per_minute") { tenant.ratePerMinute = rate }
        if let isActive { tenant.isActive = isActive }
        guard try await room.tenants.update(tenant, from: before) else { throw GatewayError.applicationNotFound }
        await room.note(
            "application.update", on: tenant.id, of: tenant.id, before: Self.json(before), after: Self.json(tenant), by: caller, context)
        return Self.answer(tenant)
    }

    @Sendable func delete(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .tenantAdmin)
        let tenant = try await room.tenant(context.parameter("id"), for: caller)
        // The queues first: should this end half-way, the application is still there to be deleted again.
        for queue in try await room.queues.list(of: tenant.id) {
            _ = try await room.queues.delete(queue.id, retentionHours: room.configuration.retentionHours)
        }
        guard try await room.tenants.delete(tenant.id) else { throw GatewayError.applicationNotFound }
        await room.note("application.delete", on: tenant.id, of: tenant.id, before: Self.json(tenant), by: caller, context)
        return .noContent
    }

    @Sendable func rotateKeys(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .tenantAdmin)
        var fields = try await request.fields(orNothing: true)
        let grace = fields.integer("grace_seconds", 0...604_800, fallback: 0)
        try fields.check()
        let tenant = try await room.tenant(context.parameter("id"), for: caller)
        guard let (rotated, secretKey) = try await room.tenants.rotateKeys(of: tenant, graceSeconds: grace) else {
            throw GatewayError.applicationNotFound
        }
        let until: JSON = ["grace_seconds": .integer(grace)]
        await room.note("application.rotate_keys", on: tenant.id, of: tenant.id, after: until, by: caller, context)
        return Self.answer(rotated, secretKey: secretKey)
    }

    private static func answer(_ tenant: Tenant, secretKey: String? = nil, status: HTTPResponse.Status = .ok) -> Response {
        .json(json(tenant, secretKey: secretKey), status: status, headers: secretKey == nil ? [:] : [.cacheControl: "no-store"])
    }

    private static func json(_ tenant: Tenant, secretKey: String? = nil) -> JSON {
        var members: [JSON.Member] = [
            .init("name", .string(tenant.name)), .init("domain", .string(tenant.domain)),
            .init("callback_url", .optional(tenant.callbackURL)), .init("id", .string(tenant.id.description)),
            .init("api_key", .string(tenant.apiKey)), .init("created_at", .string(tenant.created.zoneless)),
            .init("is_active", .bool(tenant.isActive)), .init("slug", .string(tenant.slug)),
            .init("redirect_url", .optional(tenant.redirectURL)),
        ]
        if let rate = tenant.ratePerMinute { members.append(.init("max_users_per_minute", .number(rate))) }
        if let secretKey { members.append(.init("secret_key", .string(secretKey))) }
        return .object(members)
    }
}
