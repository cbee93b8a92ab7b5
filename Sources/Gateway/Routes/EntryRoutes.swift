import HTTPTypes
import Hummingbird
import NIOCore
import WaitingRoom

/// Who is in a queue and what became of them, for its owners.
struct EntryRoutes {
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
                        .init(
                            name: "search", place: .query, schema: ["type": "string", "minLength": 1, "maxLength": 64],
                            meaning: "Only people whose visitor id or name holds this text; the first 100 found"),
                    ] + Paging.parameters, answer: Operation.list(of: "Entry"), failures: [404, 422]),
                handler: list),
            Route(
                .get, "/queue_users/{id}", access: .viewer,
                Operation(
                    tag: "Queues", summary: "One person and what happened to them; the token is masked", parameters: [Self.queueParameter],
                    answer: Operation.schema("EntryStory"), failures: [404, 422]),
                handler: get),
            Route(
                .post, "/queue_users/{id}/cancel", access: .tenantAdmin,
                Operation(
                    tag: "Queues", summary: "Take one waiting person out of the line", parameters: [Self.queueParameter], success: 204,
                    failures: [404, 409, 422]),
                handler: cancel),
            Route(
                .post, "/queue_users/{id}/release", access: .tenantAdmin,
                Operation(
                    tag: "Queues", summary: "Let one waiting person in by hand; it takes nothing from the queue's rate",
                    parameters: [Self.queueParameter], success: 204, failures: [404, 409, 422]),
                handler: letIn),
        ]
    }

    @Sendable func list(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .viewer)
        var query = try request.queryFields()
        let id = query.identifier("queue_id")
        let word = query.choice("status", of: Entry.State.allCases.map(\.word))
        let search = query.optionalText("search", length: 1...64)
        let paging = Paging(&query)
        try query.check()
        guard let id else { throw GatewayError.queueNotFound }

        let (queue, tenant) = try await room.queue(id.description, for: caller)
        let states = word.flatMap(Entry.State.init(word:)).map { [$0] } ?? Entry.State.allCases
        let entries =
            if let search {
                paging.of(try await room.queues.search(queue.id, for: search).filter { states.contains($0.state) })
            } else {
                try await room.queues.list(queue.id, states: states, skip: paging.skip, limit: paging.limit)
            }
        return EntryBody.response(entries.map { room.masked($0, queue, tenant) })
    }

    /// Where to look first: finding out whose an entry is takes a look at each queue.
    private static let queueParameter = Operation.Parameter(
        name: "queue_id", place: .query, schema: ["type": "string", "format": "uuid"], meaning: "The queue, where it is known")

    @Sendable func get(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .viewer)
        let found = try await person(request, context, caller)
        let events = try await room.story(of: found.entry, in: found.queue)
        var body = ByteBuffer()
        room.masked(found.entry, found.queue, found.tenant).write(into: &body)
        // The entry's own text, and the events behind its last key.
        body.moveWriterIndex(to: body.writerIndex - 1)
        body.writeStaticString(",\"events\":")
        body.writeJSON(.array(events.map(\.json)))
        body.writeStaticString("}")
        return Response(status: .ok, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: body))
    }

    @Sendable func cancel(_ request: Request, context: GatewayContext) async throws -> Response {
        try await end(request, context, "entry.cancel") { try await room.queues.cancel($0.id, in: $0.queue) }
    }

    @Sendable func letIn(_ request: Request, context: GatewayContext) async throws -> Response {
        let response = try await end(request, context, "entry.release") { try await room.queues.letIn($0.id, of: $0.queue) }
        room.metrics.letInByHand()
        return response
    }

    /// Takes one waiting person out of the line by `step`.
    private func end(_ request: Request, _ context: GatewayContext, _ action: String, step: (Entry) async throws -> Bool) async throws
        -> Response
    {
        let caller = try await room.caller(request, atLeast: .tenantAdmin)
        let (entry, queue, _) = try await person(request, context, caller)
        guard try await step(entry) else {
            throw GatewayError.conflict("This person does not wait any more: look at their story", code: "not_waiting")
        }
        await room.note(action, on: entry.id, of: queue.tenant, after: ["queue_id": .string(queue.id.description)], by: caller, context)
        return .noContent
    }

    private func person(_ request: Request, _ context: GatewayContext, _ caller: Caller) async throws -> Room.Person {
        var query = try request.queryFields()
        let queue = query.optionalIdentifier("queue_id")
        try query.check()
        guard let id = Identifier(uuid: try context.parameter("id")),
            let found = try await room.person(id, queue: queue, for: caller)
        else { throw GatewayError.entryNotFound }
        return found
    }
}

extension Room {
    typealias Person = (entry: Entry, queue: Queue, tenant: Tenant)

    /// The entry of this id, if the caller may know of it.
    /// - Parameter queue: where to look; `nil` for everywhere.
    func person(_ id: Identifier, queue: Identifier?, for caller: Caller) async throws -> Person? {
        let candidates =
            if let queue { [try await self.queue(queue.description, for: caller).queue] } else { try await queues(for: caller) }
        guard let queue = try await queues.find(id, in: candidates), let entry = try await queues.status(of: id, in: queue.id),
            let tenant = try await tenants.get(queue.tenant)
        else { return nil }
        return (entry, queue, tenant)
    }

    /// An entry for those who run its queue: its token is the visitor's.
    func masked(_ entry: Entry, _ queue: Queue, _ tenant: Tenant) -> EntryBody {
        let token = queues.signer.sign(entry.ticket(epoch: queue.epoch))
        return EntryBody(entry: entry, queue: queue, view: views.current(queue), tenant: tenant, token: token.prefix(8) + "…", passes: nil)
    }
}
