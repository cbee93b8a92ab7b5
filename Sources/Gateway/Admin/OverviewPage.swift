import Hummingbird
import WaitingRoom

extension AdminRoutes {
    /// Queues on one page.
    private static let pageSize = 50

    /// Every queue live, with the last hour of who waits.
    @Sendable func overview(_ visit: AdminVisit, _ caller: Caller) async throws -> Response {
        var query = try visit.request.queryFields()
        let skip = query.integer("skip", 0...1_000_000, fallback: 0)
        try query.check()
        let all = try await room.queues(for: caller)
        let tenants = try await room.tenants(for: caller)
        let names = Dictionary(uniqueKeysWithValues: tenants.map { ($0.id, $0.name) })
        var tiles: [[String: Any]] = []
        for (queue, figures) in try await room.figures(of: Array(all.dropFirst(skip).prefix(Self.pageSize))) {
            let series = try await room.queues.series(of: queue.id, over: .minutes(60))
            var tile = Self.figures(visit, queue, figures)
            tile["application"] = names[queue.tenant] ?? ""
            tile["chart"] =
                Chart(
                    title: visit.say("admin_chart_waiting"),
                    lines: [.init(style: "wait", name: visit.say("admin_waiting"), values: series.steps.map { Double($0.waiting) })],
                    labels: Self.labels(series), height: 120
                ).svg
            tiles.append(tile)
        }
        var values: [String: Any] = [
            "queues": tiles, "none": all.isEmpty, "incidents": try await incidents(visit, of: all),
            "applications": tenants.map { ["id": $0.id.description, "name": $0.name] },
        ]
        if skip + Self.pageSize < all.count { values["more"] = ["href": "?skip=\(skip + Self.pageSize)"] }
        return visit.page(.adminOverview, title: visit.say("admin_overview"), current: "overview", values)
    }
}
