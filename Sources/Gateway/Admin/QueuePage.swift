import Foundation
import Hummingbird
import NIOPosix
import WaitingRoom

extension AdminRoutes {
    /// People of a list.
    private static let listed = 20

    /// One queue: how it does and did, its settings, its people, and a rehearsal.
    @Sendable func queue(_ visit: AdminVisit, _ caller: Caller) async throws -> Response {
        let (queue, tenant) = try await room.queue(visit.context.parameter("id"), for: caller)
        var query = try visit.request.queryFields()
        let over = query.choice("over", of: Span.self) ?? .hour
        let search = query.optionalText("search", length: 0...64)?.trimmingCharacters(in: .whitespaces) ?? ""
        let rehearses = query.has("rehearse")
        guard let now = try await room.queues.figures(of: queue.id, waits: .seconds(FigureRoutes.waitsSeconds)) else {
            throw GatewayError.queueNotFound
        }
        let series = try await room.queues.series(of: queue.id, over: over.span)
        let people =
            search.isEmpty
            ? try await room.queues.list(queue.id, states: [.waiting], skip: 0, limit: Self.listed) : try await found(search, queue)

        var values = Self.figures(visit, queue, now)
        values["incidents"] = try await incidents(visit, of: [queue])
        values["rateValue"] = Chart.plain(queue.ratePerMinute).replacing(",", with: "")
        values["message"] = queue.message ?? ""
        values["waitTTL"] = queue.waitTTLSeconds
        values["redirectURL"] = queue.redirectURL ?? ""
        for onOutage in Queue.OnOutage.allCases { values["is\(onOutage.rawValue.capitalized)"] = queue.onOutage == onOutage }
        for state in Queue.State.allCases { values["is\(state.rawValue.capitalized)"] = queue.isActive && queue.state == state }
        values.merge(Self.admission(queue)) { $1 }
        values["charts"] = charts(visit, series)
        values["spans"] = Span.allCases.map { span -> [String: Any] in
            ["href": "?over=\(span.rawValue)", "label": visit.say("admin_span_\(span.rawValue)"), "current": span == over]
        }
        values["search"] = search
        values["searched"] = !search.isEmpty
        values["none"] = people.isEmpty
        values["hasPeople"] = !people.isEmpty
        values["people"] = people.map { entry -> [String: Any] in
            [
                "id": entry.id.description, "queueID": queue.id.description, "who": Self.who(entry),
                "stateName": visit.say("admin_entry_\(entry.state.word)"),
                "place": entry.state == .waiting ? Chart.plain(Double(entry.position)) : "–", "joinedAt": entry.joined.rfc3339,
            ]
        }
        values["waitPage"] = "/wait/\(queue.id)"
        values["deskPage"] = "/queue/\(tenant.slug)/\(queue.slug)/desk"
        values.merge(try await rehearsal(visit, queue, &query, isAsked: rehearses)) { $1 }
        return visit.page(
            .adminQueue, title: queue.name, current: "overview", back: (href: "/admin", label: visit.say("admin_overview")), values)
    }

    /// Who goes in when, and what a join has to bring.
    private static func admission(_ queue: Queue) -> [String: Any] {
        [
            "priority": queue.priority, "capacity": queue.maximumActive, "hasCapacity": queue.maximumActive > 0,
            "capacityText": Chart.plain(Double(queue.maximumActive)), "sessionSeconds": queue.sessionSeconds,
            "renewsSessions": queue.renewsSessions, "isThreshold": queue.activation == .threshold,
            "opensAt": queue.opensAt?.rfc3339 ?? "", "closesAt": queue.closesAt?.rfc3339 ?? "", "isAhead": !queue.isOpen(),
            "isFifo": queue.preQueueOrder == .fifo, "commitment": queue.shuffleCommitment ?? "",
            "asksWork": queue.challenge == .proofOfWork, "challengeBits": queue.challengeBits,
            "asksInvitations": queue.invitations == .required, "uniqueVisitors": queue.uniqueVisitors,
        ]
    }

    private enum Span: String, CaseIterable {
        case hour, day, week, month

        var span: QueueSeries.Span {
            switch self {
            case .hour: .minutes(60)
            case .day: .days(1)
            case .week: .days(7)
            case .month: .days(30)
            }
        }
    }

    /// The person of an entry's id, or those whose visitor id or name holds the text.
    private func found(_ search: String, _ queue: Queue) async throws -> [Entry] {
        if let id = Identifier(uuid: search.lowercased()), let entry = try await room.queues.status(of: id, in: queue.id) { return [entry] }
        return Array(try await room.queues.search(queue.id, for: search).prefix(Self.listed))
    }

    private func charts(_ visit: AdminVisit, _ series: QueueSeries) -> [[String: Any]] {
        func line(_ style: String, _ name: String, _ value: (QueueSeries.Step) -> Double?) -> Chart.Line {
            Chart.Line(style: style, name: visit.say("admin_\(name)"), values: series.steps.map(value))
        }
        func seconds(_ wait: Duration?) -> Double? { wait.map { Double($0.milliseconds) / 1000 } }
        // A step that is not over would look like a collapse.
        func whole(_ line: Chart.Line) -> Chart.Line {
            Chart.Line(style: line.style, name: line.name, values: line.values.dropLast() + [nil])
        }
        let per = visit.say(series.stepSeconds == 60 ? "admin_per_minute" : "admin_per_hour")
        let charts = [
            Chart(
                title: visit.say("admin_chart_waiting"), lines: [line("wait", "waiting") { Double($0.waiting) }],
                labels: Self.labels(series)),
            Chart(
                title: visit.say("admin_chart_flow", ["per": per]),
                lines: [whole(line("in", "joined") { Double($0.joined) }), whole(line("out", "released") { Double($0.released) })],
                labels: Self.labels(series)),
            Chart(
                title: visit.say("admin_chart_waits"),
                lines: [
                    line("wait", "wait_median") { seconds($0.waitMedian) }, line("out", "wait_95th") { seconds($0.wait95th) },
                ], labels: Self.labels(series), value: Chart.clock(seconds:)),
        ]
        return charts.map { ["title": $0.title, "legend": $0.legend, "svg": $0.svg] }
    }

    // MARK: Rehearsal

    /// The form's values, and the forecast where one is asked for.
    private func rehearsal(_ visit: AdminVisit, _ queue: Queue, _ query: inout Fields, isAsked: Bool) async throws -> [String: Any] {
        func given(_ name: String, _ fallback: String) -> String {
            visit.request.uri.queryParameters[Substring(name)].map(String.init) ?? fallback
        }
        var values: [String: Any] = [
            "rehearseVisitors": given("visitors", "10000"), "rehearseMinutes": given("duration_minutes", "60"),
            "rehearseRate": given("max_users_per_minute", Chart.plain(queue.ratePerMinute).replacing(",", with: "")),
            "rehearseLeave": given("leave_share", "0"), "rehearseBurst": given("arrivals", "steady") == "burst",
        ]
        guard isAsked else {
            try query.check()
            return values
        }
        let rehearsal = RehearsalRoutes.rehearsal(&query, of: queue)
        do {
            try query.check()
        } catch let error as GatewayError {
            values["rehearseProblem"] = error.message
            return values
        }
        let result = try await NIOThreadPool.singleton.runIfActive { rehearsal.run() }
        func clock(_ seconds: Double?) -> String { seconds.map(Chart.clock(seconds:)) ?? "–" }
        let chart = Chart(
            title: visit.say("admin_forecast"),
            lines: [
                .init(style: "wait", name: visit.say("admin_waiting"), values: result.points.map { Double($0.waiting) }),
                .init(style: "out", name: visit.say("admin_released"), values: result.points.map { Double($0.released) }),
            ], labels: result.points.map { .text(Chart.plain(Double($0.minute))) })
        values["rehearsed"] = [
            "finished": result.finishedAfterMinutes.map { visit.say("admin_after_minutes", ["minutes": Chart.plain($0)]) }
                ?? visit.say("admin_never"),
            "p50": clock(result.waitP50Seconds), "p95": clock(result.waitP95Seconds), "p99": clock(result.waitP99Seconds),
            "gaveUp": Chart.plain(Double(result.gaveUp)), "svg": chart.svg, "legend": chart.legend,
        ]
        return values
    }
}
