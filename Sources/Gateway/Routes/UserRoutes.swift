import Hummingbird
import WaitingRoom

/// Who is in a queue, for its owners.
struct UserRoutes {
    let room: Room

    var routes: [Route] {
        let states = JSON.array(Entry.State.allCases.map { .string($0.word) })
        return [
            Route(
                .get, "/queue_users", access: .viewer,
                Operation(
                    tag: "Queues", summary: "People of a queue: those waiting in their order, then those who finished; tokens are masked",
                    parameters: [
                        .init(name: "queue_id", place: .query, schema: ["type": "string", "format": "uuid"], isRequired: true),
                        .init(name: "status", place: .query, schema: ["type": "string", "enum": states]),
                    ] + Page.parameters, answer: Operation.list(of: "Entry"), failures: [404, 422]),
                handler: list)
        ]
    }

    @Sendable func list(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .viewer)
        var query = try request.queryFields()
        let id = query.identifier("queue_id")
        let word = query.choice("status", of: Entry.State.allCases.map(\.word))
        let page = Page(&query)
        try query.check()
        guard let id else { throw GatewayError.queueNotFound }

        let (queue, tenant) = try await room.queue(id.description, for: caller)
        let states = word.flatMap(Entry.State.init(word:)).map { [$0] } ?? Entry.State.allCases
        let entries = try await room.queues.list(queue.id, states: states, skip: page.skip, limit: page.limit)
        return EntryBody.response(
            entries.map { entry in
                let token = room.queues.signer.sign(entry.ticket(epoch: queue.epoch))
                return EntryBody(entry: entry, queue: queue, tenant: tenant, token: token.prefix(8) + "…")
            })
    }
}
