import CoreMetrics
import HTTPTypes
import Hummingbird
import WaitingRoom

/// Taking a place. A well-formed join is normally answered by ``HotRoutes``; this is the same step with every error in words.
struct JoinRoutes {
    let room: Room

    var routes: [Route] {
        [
            Route(
                .post, "/join", access: .apiKey,
                Operation(
                    tag: "Visitors", summary: "Take a place in a queue",
                    parameters: [
                        .init(name: "mode", place: .query, schema: ["type": "string", "enum": ["real", "simulation"], "default": "real"]),
                        .init(
                            name: "Idempotency-Key", place: .header, schema: ["type": "string", "minLength": 16, "maxLength": 64],
                            meaning: "Chosen by the client; the same key gives the same place again while it waits"),
                    ], body: Operation.schema("JoinBody"), answer: Operation.schema("Entry"),
                    failures: [401, 403, 404, 409, 413, 415, 422, 429, 503]),
                handler: join),
            Route(
                .get, "/challenge", access: .anyone,
                Operation(
                    tag: "Visitors", summary: "A puzzle for a join to bring solved, where the queue asks for one",
                    parameters: [
                        .init(name: "queue_id", place: .query, schema: ["type": "string", "format": "uuid"], isRequired: true)
                    ], answer: Operation.schema("Challenge"), failures: [404, 422, 503]),
                handler: challenge),
        ]
    }

    @Sendable func join(_ request: Request, context: GatewayContext) async throws -> Response {
        let body = try await JoinBody(request)
        let tenant = try await tenant(of: request)
        guard let queue = try await room.queues.recent(body.queue), queue.tenant == tenant.id, queue.isActive else {
            throw GatewayError.queueNotFound
        }
        if body.isSimulation { return .json(EntryBody.simulation(queue: queue, tenant: tenant, visitor: body.visitor)) }

        try await room.limits?.join(context.clientAddress(room, request))
        var join = Queues.JoinRequest(queue: queue, visitor: body.visitor)
        join.idempotencyKey = body.idempotencyKey
        join.ticket = body.ticket(for: queue, signer: room.queues.signer)
        if queue.uniqueVisitors {
            join.visitorIsProof = true
        } else if let bearer = request.bearer, try await room.tenant(withSecret: bearer)?.id == tenant.id {
            join.visitorIsProof = true
        }
        join.sharesRate = tenant.ratePerMinute != nil
        let lacking = prove(body, &join, queue, tenant)
        if let lacking, join.ticket == nil, !join.isProven { throw lacking }
        let joined: Queues.Joined?
        do { joined = try await room.queues.join(join) } catch Queues.Refusal.lacksProof { throw lacking ?? .challengeRequired }
        guard let joined else { throw try await room.refusal(toJoin: queue.id) }
        room.metrics.joined(joined)
        // The place is taken, whatever becomes of this.
        let entry = (try? await room.told(joined.entry, in: queue)) ?? joined.entry
        return EntryBody(
            entry: entry, queue: queue, view: room.views.current(queue), tenant: tenant, token: joined.token, passes: room.passes
        ).response
    }

    /// Takes over what the queue asks a newcomer for.
    /// - Returns: why a newcomer is refused. Who has a place already keeps it.
    private func prove(_ body: JoinBody, _ join: inout Queues.JoinRequest, _ queue: Queue, _ tenant: Tenant) -> GatewayError? {
        do {
            if queue.invitations == .required { join.invitation = try invitation(body, queue, tenant) }
            if queue.challenge == .proofOfWork { join.challenge = try solved(body, queue) }
            return nil
        } catch {
            join.lacksProof = true
            return error
        }
    }

    private func invitation(_ body: JoinBody, _ queue: Queue, _ tenant: Tenant) throws(GatewayError) -> Invitation {
        guard let text = body.invitation else { throw GatewayError.invitationRequired }
        guard let invitation = Invitation(text, secrets: room.tenants.signingSecrets(of: tenant)), invitation.queue == queue.id else {
            throw GatewayError.invitationRefused
        }
        return invitation
    }

    private func solved(_ body: JoinBody, _ queue: Queue) throws(GatewayError) -> Challenge {
        guard let text = body.challenge, let solution = body.solution else { throw GatewayError.challengeRequired }
        // One that was given out before the puzzles became harder is not enough.
        guard let challenge = room.challenges.verify(text), challenge.queue == queue.id, challenge.expires > .now(),
            challenge.bits >= queue.challengeBits, challenge.isSolved(by: solution)
        else { throw GatewayError.challengeFailed }
        return challenge
    }

    @Sendable func challenge(_ request: Request, context: GatewayContext) async throws -> Response {
        var query = try request.queryFields()
        let id = query.identifier("queue_id")
        try query.check()
        guard let id, let queue = try await room.queues.recent(id), queue.isActive else { throw GatewayError.queueNotFound }
        let challenge = queue.challenge == .none ? nil : room.challenges.issue(for: id, bits: queue.challengeBits)
        return .json([
            "queue_id": .string(id.description), "challenge": .optional(challenge?.text), "bits": .integer(challenge?.bits ?? 0),
            "algorithm": "SHA-256(challenge \":\" solution) begins with so many zero bits",
            "expires_at": .optional(challenge?.expires.rfc3339),
        ])
    }

    /// The application whose api key the request carries.
    private func tenant(of request: Request) async throws -> Tenant {
        guard let text = HTTPField.Name.apiKeys.lazy.compactMap({ request.headers[$0] }).first else {
            throw GatewayError(status: .unauthorized, code: "missing_api_key", message: "Missing app_api_key")
        }
        guard let key = TenantKey(text), key.kind == .api, let tenant = try await room.tenants.recent(key.tenant),
            room.tenants.isKey(key, of: tenant)
        else {
            throw GatewayError(status: .unauthorized, code: "invalid_api_key", message: "Invalid app_api_key")
        }
        return tenant
    }
}

extension GatewayError {
    private static func refused(_ message: String, code: String) -> GatewayError {
        GatewayError(status: .forbidden, code: code, message: message)
    }

    static let invitationRequired = refused("This queue takes invited visitors only: send invitation", code: "invitation_required")
    static let invitationRefused = refused(
        "The invitation is not one of this queue's site, or its time is over: ask the site for another", code: "invitation_refused")
    static let invitationUsed = refused("The invitation was used already: ask the site for another", code: "invitation_used")
    static let challengeRequired = refused(
        "This queue asks for a solved challenge: get one from GET /challenge?queue_id=, and send challenge and solution",
        code: "challenge_required")
    static let challengeFailed = refused(
        "The challenge is not solved, not one of this queue, or its time is over: get another from GET /challenge?queue_id=",
        code: "challenge_failed")
    static let challengeUsed = refused(
        "The challenge was used already: get another from GET /challenge?queue_id=", code: "challenge_used")
    static let joinsElsewhere = refused(
        "This queue asks for an invitation or a solved challenge: join it on its waiting page, or at POST /join", code: "join_elsewhere")
}
