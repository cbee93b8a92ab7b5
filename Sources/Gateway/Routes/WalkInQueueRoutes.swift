import HTTPTypes
import Hummingbird
import Redis
import WaitingRoom

/// The walk-in queues of a tenant.
struct WalkInQueueRoutes {
    /// How many queues anybody may make for one tenant.
    static let mostOpenQueues = 100
    /// How many tenants there may be when anybody makes one more.
    static let mostOpenTenants = 10_000

    let room: Room

    var routes: [Route] {
        [
            Route(
                .post, "/api/{tenant}/queues", access: .anyone,
                Operation(
                    tag: "Walk-in", summary: "Make a walk-in queue, or find it as it is (200, without its key)",
                    body: Operation.schema("WalkInQueueDraft"), success: 201, otherSuccess: 200, answer: Operation.schema("WalkInQueue"),
                    failures: [400, 401, 403, 404, 413, 415, 429, 503]),
                handler: create),
            Route(
                .get, "/api/{tenant}/queues", access: .anyone,
                Operation(
                    tag: "Walk-in", summary: "The tenant's public queues", answer: Operation.schema("WalkInQueueList"),
                    failures: [404, 503]),
                handler: list),
            Route(
                .get, "/api/{tenant}/queues/{queue}", access: .anyone,
                Operation(
                    tag: "Walk-in", summary: "One queue; a private one with its admin key", answer: Operation.schema("WalkInQueue"),
                    failures: [403, 404, 503]),
                handler: get),
            Route(
                .put, "/api/{tenant}/queues/{queue}", access: .adminKey,
                Operation(
                    tag: "Walk-in", summary: "Change a queue's settings; what is left out stays",
                    body: Operation.schema("WalkInQueueChange"),
                    answer: Operation.schema("WalkInQueue"), failures: [400, 403, 404, 413, 415, 503]),
                handler: update),
        ]
    }

    @Sendable func create(_ request: Request, context: GatewayContext) async throws -> Response {
        var fields = try await request.fields()
        let slug = fields.has("queue_id") ? fields.optionalSlug("queue_id") : fields.text("queue_id")
        let name = fields.walkInName()
        let isPublic = fields.flag("is_public", fallback: true)
        let minutes = fields.number("avg_service_time", 0.01...1440, fallback: room.configuration.averageServiceMinutes)
        let names = fields.choice("names", of: Queue.Names.self)
        let etaModel = fields.choice("eta_model", of: Queue.ETAModel.self)
        if fields.isNull("queue_id") { fields.note("queue_id", type: "string_type", "Input should be a valid string") }
        try fields.checkScope(context, queue: false)
        try fields.check()
        guard let slug, let minutes else { throw GatewayError.queueNotFound }

        let tenant = try await maker(request, context)
        let key = AdminKey.generate()
        if let queue = try await room.queues.find(slug, of: tenant.id) {
            return try await found(queue, tenant: tenant, key: key)
        }
        try await checkCap(request, tenant)
        let made = try await room.queues.create(tenant: tenant.id, name: name, slug: slug) {
            $0.ratePerMinute = 0
            $0.waitTTLSeconds = 0
            $0.isPublic = isPublic
            $0.averageServiceMinutes = minutes
            $0.names = names ?? $0.names
            $0.etaModel = etaModel ?? $0.etaModel
            $0.adminKeyHash = key.hash
        }
        if let made { return .json(Self.json(made, tenant: tenant, key: key), status: .created) }
        // Somebody made it at this very moment.
        guard let queue = try await room.queues.find(slug, of: tenant.id) else { throw GatewayError.queueNotFound }
        return try await found(queue, tenant: tenant, key: key)
    }

    /// A queue that was there already: as it is, or, where a join made it and nobody has claimed it yet, with its key.
    private func found(_ queue: Queue, tenant: Tenant, key: AdminKey) async throws -> Response {
        if queue.adminKeyHash == nil, try await room.queues.claim(queue.id, with: key) {
            return .json(Self.json(queue, tenant: tenant, key: key), status: .created)
        }
        return .json(Self.json(queue, tenant: tenant))
    }

    @Sendable func list(_ request: Request, context: GatewayContext) async throws -> Response {
        guard let tenant = try await room.walkInTenant(context) else { throw GatewayError.tenantNotFound }
        let queues = try await room.queues.list(of: tenant.id).filter(\.isPublic)
        return .json(["count": .integer(queues.count), "queues": .array(queues.map { Self.json($0, tenant: tenant) })])
    }

    @Sendable func get(_ request: Request, context: GatewayContext) async throws -> Response {
        let (queue, tenant) = try await room.walkInQueue(context)
        try room.checkPublic(request, queue)
        return .json(Self.json(queue, tenant: tenant))
    }

    @Sendable func update(_ request: Request, context: GatewayContext) async throws -> Response {
        let (before, tenant) = try await room.walkInQueue(context)
        try room.checkAdminKey(request, of: before)
        var fields = try await request.fields()
        var queue = before
        if fields.has("name") { queue.name = fields.walkInName() }
        queue.isPublic = fields.flag("is_public", fallback: before.isPublic)
        queue.averageServiceMinutes =
            fields.number("avg_service_time", 0.01...1440, fallback: before.averageServiceMinutes) ?? before.averageServiceMinutes
        queue.names = fields.choice("names", of: Queue.Names.self) ?? before.names
        queue.etaModel = fields.choice("eta_model", of: Queue.ETAModel.self) ?? before.etaModel
        try fields.check()
        guard try await room.queues.update(queue, from: before) else { throw GatewayError.queueNotFound }
        return .json(Self.json(queue, tenant: tenant))
    }

    /// The keys that MicroQ had; what hides names or changes the forecast only where it is not as it usually is.
    private static func json(_ queue: Queue, tenant: Tenant, key: AdminKey? = nil) -> JSON {
        .object(
            [
                .init("tenant_id", .string(tenant.slug)), .init("queue_id", .string(queue.slug)), .init("name", .string(queue.name)),
                .init("is_public", .bool(queue.isPublic)), .init("avg_service_time", .decimal(queue.averageServiceMinutes)),
            ] + (queue.names == .full ? [] : [.init("names", .string(queue.names.rawValue))])
                + (queue.etaModel == .pace ? [] : [.init("eta_model", .string(queue.etaModel.rawValue))])
                + (key.map { [.init("admin_key", .string($0.text))] } ?? []) + [.init("created_at", .string(queue.created.withOffset))])
    }

    // MARK: Who may make queues

    /// The tenant to make a queue for. Where tenants are open (`OPEN_TENANTS`, development), anybody may, and a tenant not known yet is
    /// made; else its secret key or a super admin.
    private func maker(_ request: Request, _ context: GatewayContext) async throws -> Tenant {
        let slug = try context.parameter("tenant")
        let tenant = try await room.tenants.find(slug)
        if let tenant, tenant.isActive, try await isOwner(request, of: tenant) { return tenant }
        guard room.configuration.openTenants else {
            throw GatewayError(
                status: .forbidden, code: "forbidden",
                message: "Only the tenant's secret key or a super admin may make queues here; send one as Authorization: Bearer")
        }
        try await room.limits?.join(context.clientAddress(room, request))
        if let tenant {
            guard tenant.isActive else { throw GatewayError.tenantNotFound }
            return tenant
        }
        return try await room.openTenant(slug)
    }

    private func isOwner(_ request: Request, of tenant: Tenant) async throws -> Bool {
        guard request.bearer != nil else { return false }
        let caller = try await room.caller(request, atLeast: .tenantAdmin)
        return caller.scope == nil || (caller.scope == tenant.id && request.bearer.flatMap(TenantKey.init)?.kind == .secret)
    }

    private func checkCap(_ request: Request, _ tenant: Tenant) async throws {
        if try await isOwner(request, of: tenant) { return }
        try await room.checkOpenQueues(of: tenant)
    }
}

extension Room {
    /// The tenant named `slug`, made now if need be.
    /// - Throws: ``GatewayError`` 400 when that is no slug, 403 when there are too many, 404 when it was deleted.
    func openTenant(_ slug: String) async throws -> Tenant {
        if let tenant = try await tenants.find(slug) { return tenant }
        guard Slug.isValid(slug) else {
            throw GatewayError(
                status: .badRequest, code: "invalid_tenant", message: "A tenant is named by 1 to 64 of A-Z a-z 0-9 . _ - and not 'queues'")
        }
        guard try await redis.send(RedisCommand("ZCARD", .string(CatalogueKeys.tenants))).integer ?? 0 < WalkInQueueRoutes.mostOpenTenants
        else {
            throw GatewayError(
                status: .forbidden, code: "too_many_tenants",
                message: "There are \(WalkInQueueRoutes.mostOpenTenants) tenants; more are made by a super admin only")
        }
        if let made = try await tenants.create(.init(name: slug, domain: "", slug: slug)) { return made.tenant }
        guard let tenant = try await tenants.find(slug) else { throw GatewayError.tenantNotFound }
        return tenant
    }

    /// - Throws: ``GatewayError`` 403 when anybody has made as many queues for the tenant as anybody may.
    func checkOpenQueues(of tenant: Tenant) async throws {
        guard try await queues.list(of: tenant.id).count >= WalkInQueueRoutes.mostOpenQueues else { return }
        throw GatewayError(
            status: .forbidden, code: "too_many_queues",
            message: "This tenant has \(WalkInQueueRoutes.mostOpenQueues) queues; more are made with its secret key only")
    }
}

extension GatewayError {
    static let tenantNotFound = notFound("Tenant not found", code: "tenant_not_found")
}
