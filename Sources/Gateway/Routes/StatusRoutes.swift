import HTTPTypes
import Hummingbird
import Redis
import WaitingRoom

/// Polling and leaving. A poll of one who waits is normally answered by ``HotRoutes``.
struct StatusRoutes {
    let room: Room

    var routes: [Route] {
        [
            Route(
                .get, "/queue_status", access: .ticket,
                Operation(
                    tag: "Visitors", summary: "Where the holder of a token stands",
                    parameters: [.init(name: "token", place: .query, schema: ["type": "string"], isRequired: true)],
                    answer: Operation.schema("Entry"), failures: [404, 422, 429, 503]),
                handler: status),
            Route(
                .post, "/cancel", access: .ticket,
                Operation(
                    tag: "Visitors", summary: "Leave the queue; the token in the query, a form or JSON",
                    parameters: [.init(name: "token", place: .query, schema: ["type": "string"])],
                    body: ["type": "object", "properties": ["token": ["type": "string"]]], success: 204,
                    failures: [404, 413, 415, 422, 503]),
                handler: cancel),
        ]
    }

    @Sendable func status(_ request: Request, context: GatewayContext) async throws -> Response {
        var query = try request.queryFields()
        let token = query.text("token", length: 1...TicketSigner.maximumLength)
        try query.check()
        let (ticket, queue) = try await holder(of: token)
        // A poll too many is a sign of life none the less.
        room.signs.note(ticket)
        room.leases.want(queue)
        let entry = try await entry(of: ticket, in: queue)
        let tenant = try await room.tenants.recent(queue.tenant)
        return EntryBody(
            entry: entry.seenNow, queue: queue, view: room.views.current(queue), tenant: tenant, token: token, passes: room.passes
        ).response
    }

    func entry(of ticket: Ticket, in queue: Queue) async throws -> Entry {
        if let entry = room.leases.spent(ticket) { return entry }
        do {
            try await room.limits?.poll(ticket.entry)
            guard let entry = try await room.status(ticket, in: queue) else { throw GatewayError.tokenNotFound }
            return entry
        } catch {
            guard (error as? RedisError)?.isUnavailable == true, let entry = room.leases.spend(ticket) else { throw error }
            return entry
        }
    }

    @Sendable func cancel(_ request: Request, context: GatewayContext) async throws -> Response {
        var query = try request.queryFields()
        let token: String
        if query.has("token") {
            token = query.text("token", length: 1...TicketSigner.maximumLength)
            try query.check()
        } else {
            var form = try await request.formFields(orJSON: true)
            token = form.text("token", length: 1...TicketSigner.maximumLength)
            try form.check()
        }
        let (ticket, _) = try await holder(of: token)
        guard try await room.queues.cancel(ticket) else { throw GatewayError.tokenNotFound }
        room.views.forget(ticket.sequence, in: ticket.queue)
        return .noContent
    }

    func holder(of token: String) async throws -> (Ticket, Queue) {
        guard let ticket = room.queues.signer.verify(token), let queue = try await room.queues.recent(ticket.queue),
            ticket.epoch == queue.epoch
        else { throw GatewayError.tokenNotFound }
        return (ticket, queue)
    }
}

extension Entry {
    /// The same entry at the moment of a poll, which is itself a sign of life.
    var seenNow: Entry {
        Entry(
            queue: queue, id: id, sequence: sequence, visitor: visitor, state: state, joined: joined, finished: finished,
            position: position,
            queueLength: queueLength, lastSeen: state == .waiting ? .now() : nil)
    }
}
