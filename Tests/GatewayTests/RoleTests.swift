import HTTPTypes
import TestSupport
import Testing

@testable import Gateway
@testable import WaitingRoom

/// Made from the table of routes: a route whose handler asks for another role than the table says fails here.
@Suite("Roles", .serialized)
struct RoleTests {
    /// Routes that a bearer may call, with a path on which one application's own things are.
    private static func guarded(_ office: Office, _ entry: Identifier) -> [(route: Route, path: String)] {
        gatewayRoutes(office.site.room).routes.compactMap { route in
            guard [.viewer, .tenantAdmin, .superAdmin].contains(route.access) else { return nil }
            let id =
                switch route.path.split(separator: "/").first {
                case "applications": office.one.tenant.id.description
                case "queues": office.one.queue.id.description
                case "queue_users": entry.description
                case "callbacks": CallbackID(queue: office.one.queue.id, entry: entry, joined: .now(), epoch: 1).text
                default: Identifier.random().description
                }
            return (route, route.path.replacing("{id}", with: id))
        }
    }

    private static func rank(_ access: Route.Access) -> Account.Role {
        switch access {
        case .superAdmin: .superAdmin
        case .tenantAdmin: .tenantAdmin
        default: .viewer
        }
    }

    @Test("every route refuses those below its role, and those who are not signed in")
    func refused() async throws {
        try await Office.with { office in
            let entry = try #require(try await office.join(office.one, 1).first).entry.id
            let guarded = Self.guarded(office, entry)
            #expect(guarded.count > 30)
            for (route, path) in guarded {
                try await office.site.expect(401, route.method, path)
                try await office.site.expect(401, route.method, path, as: "nonsense")
                for (role, bearer) in [(Account.Role.viewer, office.one.viewer), (.tenantAdmin, office.one.secret)]
                where role < Self.rank(route.access) {
                    try await office.site.expect(403, route.method, path, as: bearer)
                }
            }
        }
    }

    @Test("every route takes those of its role, and answers 404 to another application's")
    func taken() async throws {
        try await Office.with { office in
            let entry = try #require(try await office.join(office.one, 1).first).entry.id
            for (route, path) in Self.guarded(office, entry) where route.path != "/auth/logout" {
                if route.path.contains("{id}"), route.access != .superAdmin {
                    // Not there for them, before anything is looked at or done; a wrong body may be told first.
                    let other = try await office.site.call(route.method, path, as: office.other.admin, json: .object([]))
                    #expect([404, 422].contains(other.status), "\(route.method) \(route.path): \(other.status)")
                }
                let bearer =
                    switch route.access {
                    case .superAdmin: office.superAdmin
                    case .tenantAdmin: office.one.admin
                    default: office.one.viewer
                    }
                // What deletes is tried on nothing.
                let own = route.method == .delete ? route.path.replacing("{id}", with: Identifier.random().description) : path
                let reply = try await office.site.call(route.method, own, as: bearer, json: route.method == .get ? nil : .object([]))
                #expect(![401, 403].contains(reply.status) && reply.status < 500, "\(route.method) \(route.path): \(reply.text)")
            }
        }
    }
}
