import HTTPTypes
import Hummingbird
import NIOCore
import WaitingRoom

/// Being told instead of asking.
struct StreamRoutes {
    let room: Room

    var routes: [Route] {
        [
            Route(
                .get, "/queue_status/stream", access: .ticket,
                Operation(
                    tag: "Visitors",
                    summary: "Server-sent events of where the holder of a token stands, until they are let in, have left or were given up",
                    parameters: [
                        .init(name: "token", place: .query, schema: ["type": "string"], isRequired: true),
                        .init(
                            name: "Last-Event-ID", place: .header, schema: ["type": "string"],
                            meaning:
                                "The id of the last event that arrived: it is not sent again, and after the last one of all the answer is 204"
                        ),
                    ],
                    otherSuccess: 204, answer: ["type": "string", "description": .string(Self.events)], answerType: "text/event-stream",
                    failures: [404, 422, 429, 503]),
                handler: stream)
        ]
    }

    private static let events = """
        Events named `status`, their data an Entry as GET /queue_status answers it: one at once, near the front for each step, farther back \
        for each hundredth of the way and every 30 seconds at the latest, and a last one when the visitor waits no more; then the stream ends. \
        Events named `unavailable`, their data an Error, when nothing can be told for a while. Comments every 15 seconds otherwise
        """

    @Sendable func stream(_ request: Request, context: GatewayContext) async throws -> Response {
        var query = try request.queryFields()
        let token = query.text("token", length: 1...TicketSigner.maximumLength)
        try query.check()
        // As a poll is answered, with all that a poll may be refused for.
        let polls = StatusRoutes(room: room)
        let (ticket, queue) = try await polls.holder(of: token)
        room.signs.note(ticket)
        room.leases.want(queue)
        let entry = try await polls.entry(of: ticket, in: queue)
        let lastEvent = request.headers[.lastEventID]
        if entry.state != .waiting, lastEvent == StreamEvent.id(of: entry) { return .noContent }
        let tenant = try await room.tenants.recent(queue.tenant)
        let body = EntryBody(
            entry: entry.seenNow, queue: queue, view: room.views.current(queue), tenant: tenant, token: token, passes: room.passes)
        if request.method == .head { return events() }
        guard entry.state == .waiting else { return events(StreamEvent.status(body)) }
        // While it drains, a client is told where it stands and comes back to another gateway.
        if room.readiness.isDraining { return events(StreamEvent.retry(milliseconds: .random(in: 300...1500)), StreamEvent.status(body)) }
        let slot = try room.streams.slot(for: ticket)
        let opening = StreamOpening(ticket: ticket, token: token, entry: entry, queue: queue, lastEvent: lastEvent, slot: slot)
        try await context.channel.triggerUserOutboundEvent(opening).get()
        return events()
    }

    private func events(_ events: ByteBuffer...) -> Response {
        // nginx holds back what it may: X-Accel-Buffering.
        let headers: HTTPFields = [.contentType: "text/event-stream", .cacheControl: "no-store", .accelBuffering: "no"]
        return Response(status: .ok, headers: headers, body: ResponseBody(contentsOf: events))
    }
}
