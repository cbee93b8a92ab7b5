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
                        + Page.parameters,
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
        let page = Page(&query)
        try query.check()
        return .json(.array(page.of(try await room.queues(of: application, for: caller)).map(Self.json)))
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

/// The settings that a body names; what it leaves out stays as it is.
private struct QueueSettings {
    private var changes: [@Sendable (inout Queue) -> Void] = []
    /// What the body says of them; `nil` where it says nothing.
    fileprivate private(set) var opensAt: Timestamp??
    fileprivate private(set) var closesAt: Timestamp??

    init(_ fields: inout Fields) {
        if let rate = fields.rate("max_users_per_minute") {
            changes.append { $0.ratePerMinute = rate }
        }
        if let state = fields.choice("state", of: Queue.State.self) { changes.append { $0.state = state } }
        if let onOutage = fields.choice("on_outage", of: Queue.OnOutage.self) { changes.append { $0.onOutage = onOutage } }
        if fields.has("priority") {
            let priority = fields.integer("priority", 1...100, fallback: 1)
            changes.append { $0.priority = priority }
        }
        if fields.has("wait_ttl_seconds") {
            let seconds = fields.integer("wait_ttl_seconds", 0...Queue.maximumWaitTTLSeconds, fallback: Queue.defaultWaitTTLSeconds)
            changes.append { $0.waitTTLSeconds = seconds }
        }
        if fields.has("session_seconds") {
            let seconds = fields.integer("session_seconds", Queue.sessionLengths, fallback: Queue.defaultSessionSeconds)
            changes.append { $0.sessionSeconds = seconds }
        }
        if fields.has("session_renewal") {
            let flag = fields.flag("session_renewal", fallback: true)
            changes.append { $0.renewsSessions = flag }
        }
        if fields.has("max_active_users") {
            let most = fields.integer("max_active_users", 0...Queue.maximumCapacity, fallback: 0)
            changes.append { $0.maximumActive = most }
        }
        if let activation = fields.choice("activation", of: Queue.Activation.self) { changes.append { $0.activation = activation } }
        if fields.has("opens_at") {
            let time = fields.optionalTime("opens_at")
            opensAt = .some(time)
            changes.append { $0.opensAt = time }
        }
        if fields.has("closes_at") {
            let time = fields.optionalTime("closes_at")
            closesAt = .some(time)
            changes.append { $0.closesAt = time }
        }
        if let order = fields.choice("pre_queue_order", of: Queue.PreQueueOrder.self) { changes.append { $0.preQueueOrder = order } }
        if let challenge = fields.choice("challenge", of: Queue.ChallengeKind.self) { changes.append { $0.challenge = challenge } }
        if fields.has("challenge_bits") {
            let bits = fields.integer("challenge_bits", Queue.challengeBits, fallback: Queue.defaultChallengeBits)
            changes.append { $0.challengeBits = bits }
        }
        if let invitations = fields.choice("invitations", of: Queue.Invitations.self) { changes.append { $0.invitations = invitations } }
        if fields.has("message") {
            let message = fields.optionalText("message", length: 0...500)
            changes.append { $0.message = message.flatMap { $0.isEmpty ? nil : $0 } }
        }
        if fields.has("unique_visitors") {
            let flag = fields.flag("unique_visitors", fallback: false)
            changes.append { $0.uniqueVisitors = flag }
        }
        if fields.has("redirect_url") {
            let url = fields.optionalURL("redirect_url")
            changes.append { $0.redirectURL = url }
        }
        if let hosts = Self.hosts(&fields) { changes.append { $0.returnHosts = hosts } }
        if let language = fields.choice("lang", of: WebAssets.languageCodes) { changes.append { $0.language = language } }
        if let theme = fields.choice("theme", of: ["light", "dark", "auto"]) { changes.append { $0.theme = theme } }
        if fields.has("is_active") {
            let flag = fields.flag("is_active", fallback: true)
            changes.append { $0.isActive = flag }
        }
    }

    @Sendable func apply(_ queue: inout Queue) {
        for change in changes { change(&queue) }
    }

    /// Host names as they stand in an address: `example.com`, `127.0.0.1`, `[::1]`, without scheme and path.
    private static func hosts(_ fields: inout Fields) -> [String]? {
        guard let hosts = fields.optionalTexts("return_hosts", most: 20, length: 1...255) else { return nil }
        guard hosts.allSatisfy({ !$0.contains("*") && WebURL.host(of: "https://\($0)") == $0.lowercased() }) else {
            fields.note("return_hosts", type: "host_parsing", "Every item should be a host name, such as example.com")
            return nil
        }
        return hosts.map { $0.lowercased() }
    }
}

extension Fields {
    /// Notes a closing that is not after the opening, whichever of the two the body changes.
    fileprivate mutating func checkTimes(_ settings: QueueSettings, of queue: Queue?) {
        guard let opens = settings.opensAt ?? queue?.opensAt, let closes = settings.closesAt ?? queue?.closesAt, closes <= opens else {
            return
        }
        note(has("closes_at") ? "closes_at" : "opens_at", type: "value_error", "closes_at should be after opens_at")
    }

    /// The same, where null says that there is none.
    mutating func optionalRate(_ name: String) -> Double? { isNull(name) ? nil : rate(name) }

    /// A rate, in people a minute; `nil` when absent, or noted when it is none.
    mutating func rate(_ name: String) -> Double? {
        guard let rate = number(name, 0...Queue.rates.upperBound, fallback: nil) else { return nil }
        guard rate == 0 || rate >= Queue.rates.lowerBound else {
            note(name, type: "greater_than_equal", "Input should be 0, or greater than or equal to \(Queue.rates.lowerBound)")
            return nil
        }
        return rate
    }
}
