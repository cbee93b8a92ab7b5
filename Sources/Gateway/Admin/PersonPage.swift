import Hummingbird
import WaitingRoom

extension AdminRoutes {
    /// What happened to one person, and what can be done for them by hand.
    @Sendable func person(_ visit: AdminVisit, _ caller: Caller) async throws -> Response {
        var query = try visit.request.queryFields()
        let queueID = query.optionalIdentifier("queue_id")
        try query.check()
        guard let id = Identifier(uuid: try visit.context.parameter("id")),
            let (entry, queue, _) = try await room.person(id, queue: queueID, for: caller)
        else { throw GatewayError.entryNotFound }
        let events = try await room.story(of: entry, in: queue)
        var values: [String: Any] = [
            "id": entry.id.description, "queueID": queue.id.description, "queueName": queue.name,
            "stateName": visit.say("admin_entry_\(entry.state.word)"), "isWaiting": entry.state == .waiting,
            "place": Chart.plain(Double(entry.position)),
            "events": events.map { ["at": $0.time.rfc3339, "text": visit.tell($0)] },
        ]
        if events.contains(where: { [.callbackPending, .callbackDelivered, .callbackDead].contains($0.kind) }) {
            values["callback"] = CallbackID(queue: queue.id, entry: entry.id, joined: entry.joined, epoch: queue.epoch).text
        }
        return visit.page(
            .adminPerson, title: Self.who(entry), current: "overview",
            back: (href: "/admin/queues/\(queue.id)#people", label: queue.name), values)
    }
}

extension AdminVisit {
    /// An event of a story in the page's language.
    fileprivate func tell(_ event: StoryEvent) -> String {
        var text = say(
            "admin_event_\(event.kind.rawValue)",
            [
                "place": event.place.map { Chart.plain(Double($0)) } ?? "–", "attempts": String(event.attempts ?? 0),
                "problem": event.problem ?? "–", "desk": event.desk ?? "",
            ])
        if let actor = event.actor { text += " · " + say("admin_event_by", ["actor": actor]) }
        if let desk = event.desk { text += " · " + say("line_desk", ["desk": desk]) }
        if event.isUndo { text += " · " + say("admin_event_undo") }
        return text
    }
}
