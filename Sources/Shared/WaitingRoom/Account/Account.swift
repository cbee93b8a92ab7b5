/// Someone who may sign in to manage tenants and queues.
package struct Account: Sendable, Equatable {
    package enum Role: String, Sendable, CaseIterable, Comparable {
        case viewer
        case tenantAdmin = "app_admin"
        case superAdmin = "super_admin"

        package static func < (left: Role, right: Role) -> Bool {
            allCases.firstIndex(of: left)! < allCases.firstIndex(of: right)!
        }
    }

    package let id: Identifier
    package let email: String
    package var role: Role
    /// The tenant whose people they are; `nil` for a super admin.
    package var tenant: Identifier?
    package var passwordHash: String
    package let created: Timestamp
    /// When they last signed in; `nil` for never.
    package var lastSignIn: Timestamp?
    /// Seconds since 1970: sessions that began before are over, since the password was changed then.
    package var sessionsSince = 0
}
