import Hummingbird
import WaitingRoom

extension AdminRoutes {
    /// Who changed what, newest first.
    @Sendable func audit(_ visit: AdminVisit, _ caller: Caller) async throws -> Response {
        var query = try visit.request.queryFields()
        let queueID = query.optionalIdentifier("queue_id")
        let before = query.optionalText("before", length: 1...40)
        try query.check()
        let lines = try await room.audit.list(of: caller.scope, target: queueID, before: AuditRoutes.lineID(before), limit: 50)
        var names: [Identifier: String] = [:]
        for queue in try await room.queues(for: caller) { names[queue.id] = queue.name }
        for tenant in try await room.tenants(for: caller) { names[tenant.id] = tenant.name }
        if visit.isSuperAdmin { for account in try await room.accounts.list() { names[account.id] = account.email } }
        var values: [String: Any] = [
            "none": lines.isEmpty,
            "lines": lines.map { line -> [String: Any] in
                [
                    "at": line.time.rfc3339, "actor": line.actor, "action": line.action,
                    "target": names[line.target] ?? line.target.description, "changes": Self.changes(line),
                ]
            },
        ]
        if lines.count == 50, let last = lines.last {
            let scope = queueID.map { "&queue_id=\($0)" } ?? ""
            values["more"] = ["href": "?before=\(last.id)\(scope)"]
        }
        return visit.page(.adminAudit, title: visit.say("admin_audit"), current: "audit", values)
    }

    /// What differs, member by member; of something made or deleted its name.
    private static func changes(_ line: AuditLine) -> [[String: Any]] {
        func text(_ value: JSON?) -> String? { value.map { $0.string ?? $0.text } }
        guard case .object(let after) = line.after else {
            return text(line.before["name"] ?? line.before["email"]).map { [["key": "name", "before": $0, "after": "–"]] } ?? []
        }
        guard case .object = line.before else {
            return after.filter { ["name", "email", "resent"].contains($0.key) }.map { ["key": $0.key, "after": text($0.value) ?? ""] }
        }
        return after.map { member in
            ["key": member.key, "before": text(line.before[member.key]) ?? "–", "after": text(member.value) ?? "–"]
        }
    }
}
