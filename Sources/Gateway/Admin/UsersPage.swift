import Hummingbird
import WaitingRoom

extension AdminRoutes {
    /// Users and roles for a super admin; for everybody their own password.
    @Sendable func users(_ visit: AdminVisit, _ caller: Caller) async throws -> Response {
        var values: [String: Any] = ["isSuperAdmin": visit.isSuperAdmin]
        if case .account(let own) = caller {
            values["own"] = own.id.description
            values["ownEmail"] = own.email
        }
        if visit.isSuperAdmin {
            let tenants = try await room.tenants(for: caller)
            let names = Dictionary(uniqueKeysWithValues: tenants.map { ($0.id, $0.name) })
            func roles(_ selected: Account.Role?) -> [[String: Any]] {
                Account.Role.allCases.map {
                    ["value": $0.rawValue, "label": visit.say("admin_role_\($0.rawValue)"), "selected": $0 == selected]
                }
            }
            func applications(_ selected: Identifier?) -> [[String: Any]] {
                [["value": "", "label": visit.say("admin_all_applications"), "selected": selected == nil]]
                    + tenants.map { ["value": $0.id.description, "label": $0.name, "selected": $0.id == selected] }
            }
            values["roles"] = roles(nil)
            values["applications"] = applications(nil)
            values["users"] = try await room.accounts.list().map { account -> [String: Any] in
                var row: [String: Any] = [
                    "id": account.id.description, "email": account.email, "roleName": visit.say("admin_role_\(account.role.rawValue)"),
                    "application": account.tenant.map { names[$0] ?? "–" } ?? visit.say("admin_all_applications"),
                    "roles": roles(account.role), "applications": applications(account.tenant),
                ]
                if let time = account.lastSignIn { row["lastSignIn"] = time.rfc3339 }
                return row
            }
        }
        return visit.page(.adminUsers, title: visit.say("admin_users"), current: "users", values)
    }
}
