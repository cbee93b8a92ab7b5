import HTTPTypes
import Hummingbird
import WaitingRoom

/// The dashboard's pages, each in a file of its own, and what they are made of. The pages only show: their forms call the API.
struct AdminRoutes {
    let room: Room

    var routes: [Route] {
        [
            page("/admin", "Every queue live", overview),
            page("/admin/queues/{id}", "One queue: figures, charts, settings, people, rehearsal", queue),
            page("/admin/people/{id}", "What happened to one person", person),
            page("/admin/callbacks", "Callbacks, and sending them again", callbacks),
            page("/admin/applications", "Applications and their keys", applications),
            page("/admin/users", "Users and roles, or one's own password", users),
            page("/admin/audit", "Who changed what", audit),
            ScriptRoutes.asset("/scripts/admin.js", "Drives the dashboard", WebAssets.adminScript, type: "text/javascript"),
            ScriptRoutes.asset("/styles/admin.css", "The dashboard's styles", WebAssets.adminStyles, type: "text/css"),
        ]
    }

    private func page(
        _ path: String, _ summary: String, _ show: @escaping @Sendable (AdminVisit, Caller) async throws -> Response
    ) -> Route {
        Route(
            .get, path, access: .viewer,
            Operation(
                tag: "Dashboard pages", summary: summary,
                parameters: [.init(name: "lang", place: .query, schema: WebAssets.languageSchema)], answer: ["type": "string"],
                answerType: "text/html", failures: [404, 422]),
            handler: { request, context in
                var caller: Caller?
                do {
                    let found = try await room.caller(request, atLeast: .viewer)
                    caller = found
                    return try await show(AdminVisit(room: room, request: request, context: context, caller: found), found)
                } catch {
                    return AdminVisit(room: room, request: request, context: context, caller: caller).failure(error)
                }
            })
    }

    // MARK: What several pages show

    /// A queue's figures for a template.
    static func figures(_ visit: AdminVisit, _ queue: Queue, _ figures: QueueFigures) -> [String: Any] {
        func count(_ value: Int) -> String { Chart.plain(Double(value)) }
        return [
            "id": queue.id.description, "name": queue.name, "state": queue.isActive ? queue.state.rawValue : "off",
            "stateName": visit.say("admin_state_" + (queue.isActive ? queue.state.rawValue : "off")), "waiting": count(figures.waiting),
            "rate": Chart.plain(queue.ratePerMinute), "reached": count(figures.releasedLastMinute),
            "waitP50": figures.waitMedian?.onClock ?? "–", "waitP95": figures.wait95th?.onClock ?? "–",
            "joined": count(figures.total.joined), "released": count(figures.total.released), "expired": count(figures.total.expired),
            "cancelled": count(figures.total.cancelled), "failing": count(figures.callbacksFailing), "dead": count(figures.deadLetters),
            "hasDead": figures.deadLetters > 0, "active": count(figures.active),
        ]
    }

    /// What goes wrong now, for a template. Only who sees everything is told of the service as a whole.
    func incidents(_ visit: AdminVisit, of queues: [Queue]) async throws -> [[String: Any]] {
        let ofService = visit.isSuperAdmin ? try await room.incidents.openOfService() : []
        return (ofService + (try await room.incidents.open(of: queues))).map { incident in
            [
                "text": visit.say(
                    "admin_incident_\(incident.kind.rawValue)",
                    [
                        "queue": incident.queueName ?? "", "value": Chart.plain(Double(incident.value)), "detail": incident.detail,
                    ]), "since": incident.since.rfc3339,
            ]
        }
    }

    static func labels(_ series: QueueSeries) -> [Chart.Label] {
        series.steps.map { .time($0.began, isDay: series.steps.count > 24 && series.stepSeconds == 3600) }
    }

    /// What people call somebody.
    static func who(_ entry: Entry) -> String { entry.visitorID.isEmpty ? entry.name : entry.visitorID }
}
