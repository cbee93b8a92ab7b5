import Hummingbird
import WaitingRoom

extension AdminRoutes {
    /// Callbacks by state, dead letters first.
    @Sendable func callbacks(_ visit: AdminVisit, _ caller: Caller) async throws -> Response {
        var query = try visit.request.queryFields()
        let state = query.choice("state", of: CallbackStatus.State.self) ?? .dead
        let queueID = query.optionalIdentifier("queue_id")
        try query.check()
        let queues =
            if let queueID { [try await room.queue(queueID.description, for: caller).queue] } else {
                try await room.queues(for: caller)
            }
        let found = try await room.callbacks(of: queues, states: [state], limit: 100)
        var rows: [[String: Any]] = []
        for (queue, callback) in found {
            let entry = try await room.queues.status(of: callback.entry, in: queue.id)
            var row: [String: Any] = [
                "id": CallbackID(queue: queue.id, entry: callback.entry, joined: callback.joined, epoch: queue.epoch).text,
                "at": callback.released.rfc3339, "stateName": visit.say("admin_callback_\(state.rawValue)"), "queueName": queue.name,
                "who": entry.map(Self.who) ?? callback.entry.description,
                "personHref": "/admin/people/\(callback.entry)?queue_id=\(queue.id)", "attempts": callback.status.attempts,
                "problem": callback.status.lastError ?? "",
            ]
            if state == .pending { row["next"] = callback.status.time.rfc3339 }
            rows.append(row)
        }
        let scope = queueID.map { "&queue_id=\($0)" } ?? ""
        let owners = visit.canManage && state == .dead ? Set(found.map(\.0.tenant)) : []
        let tenants = try await room.tenants(for: caller).filter { owners.contains($0.id) }
        return visit.page(
            .adminCallbacks, title: visit.say("admin_callbacks"), current: "callbacks",
            [
                "callbacks": rows, "none": rows.isEmpty,
                "filters": [CallbackStatus.State.dead, .pending, .delivered].map { each -> [String: Any] in
                    [
                        "href": "?state=\(each.rawValue)\(scope)", "label": visit.say("admin_callback_\(each.rawValue)"),
                        "current": each == state,
                    ]
                },
                "resendAll": tenants.map {
                    ["application": $0.id.description, "label": visit.say("admin_resend_all", ["application": $0.name])]
                },
            ])
    }
}
