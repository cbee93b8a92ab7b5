import HTTPTypes
import Hummingbird
import WaitingRoom

/// Passes, for the sites that check them.
struct PassRoutes {
    let room: Room

    var routes: [Route] {
        [
            Route(
                .get, "/.well-known/jwks.json", access: .anyone,
                Operation(tag: "Passes", summary: "The keys that passes are signed with (RFC 7517)", answer: Operation.schema("KeySet")),
                handler: keys),
            Route(
                .post, "/passes/verify", access: .tenantAdmin,
                Operation(
                    tag: "Passes", summary: "Whether a pass is good, and what it says (as RFC 7662 does)",
                    body: Operation.schema("PassBody"), answer: Operation.schema("PassStatus"), failures: [413, 415, 422, 503]),
                handler: verify),
            Route(
                .post, "/passes/revoke", access: .tenantAdmin,
                Operation(
                    tag: "Passes", summary: "Make a pass worthless: it is refused within a second",
                    body: Operation.schema("RevokeBody"), success: 204, failures: [404, 413, 415, 422, 503]),
                handler: revoke),
            Route(
                .post, "/sessions/{id}/end", access: .tenantAdmin,
                Operation(
                    tag: "Passes", summary: "End the session of somebody who was let in: their place inside is free, their pass worthless",
                    success: 204, failures: [404, 503]),
                handler: end),
        ]
    }

    @Sendable func keys(_ request: Request, context: GatewayContext) async throws -> Response {
        let keys = room.passes.publicKeys.map { key -> JSON in
            [
                "kty": "EC", "crv": "P-256", "x": .string(key.x), "y": .string(key.y), "kid": .string(key.name), "use": "sig",
                "alg": "ES256",
            ]
        }
        return .cached(JSON.object([.init("keys", .array(keys))]).text, type: "application/json", for: request, seconds: 300)
    }

    @Sendable func verify(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .tenantAdmin)
        var fields = try await request.fields()
        let text = fields.text("pass", length: 0...Int.max)
        try fields.check()
        guard let pass = room.passes.verify(text), caller.sees(pass.tenant), let queue = try await room.queues.recent(pass.queue),
            queue.tenant == pass.tenant, try await !room.queues.isRevoked(pass),
            case .object(let claims) = room.passes.claims(of: pass)
        else { return .json(["active": false]) }
        return .json(.object([.init("active", true)] + claims))
    }

    @Sendable func revoke(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .tenantAdmin)
        var fields = try await request.fields()
        let text = fields.optionalText("pass", length: 1...PassSigner.maximumLength)
        let entry = fields.optionalIdentifier("entry_id")
        if text == nil, !fields.has("entry_id") { fields.note("pass", type: "missing", "Field required: pass, or entry_id") }
        try fields.check()
        let found: (entry: Identifier, queue: Queue)
        if let text {
            guard let pass = room.passes.verify(text), caller.sees(pass.tenant), let queue = try await room.queues.get(pass.queue) else {
                throw GatewayError.passNotFound
            }
            found = (pass.entry, queue)
        } else {
            found = try await holder(entry, caller)
        }
        try await room.queues.revokePass(of: found.entry, in: found.queue.id)
        await room.note("pass.revoke", on: found.entry, of: found.queue.tenant, by: caller, context)
        return .noContent
    }

    @Sendable func end(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .tenantAdmin)
        let found = try await holder(Identifier(uuid: try context.parameter("id")), caller)
        try await room.queues.revokePass(of: found.entry, in: found.queue.id)
        await room.note("session.end", on: found.entry, of: found.queue.tenant, by: caller, context)
        return .noContent
    }

    /// An entry that was let in, and its queue.
    private func holder(_ entry: Identifier?, _ caller: Caller) async throws -> (entry: Identifier, queue: Queue) {
        let queues = try await room.queues(of: nil, for: caller).map(\.id)
        guard let entry, let id = try await room.queues.queue(thatLetIn: entry, among: queues),
            let queue = try await room.queues.get(id)
        else { throw GatewayError.entryNotFound }
        return (entry, queue)
    }
}

extension GatewayError {
    static let passNotFound = notFound(
        "Pass not found: it is not one of this service, or its time is over", code: "pass_not_found")
}
