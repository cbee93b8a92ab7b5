import HTTPTypes
import TestSupport
import Testing
import WaitingRoom

@testable import Gateway

@Suite("People who may sign in")
struct AccountRoutesTests {
    private static let password = "a long password"

    private func draft(_ email: String, _ role: String, of tenant: Tenant? = nil, password: String = password) -> JSON {
        [
            "email": .string(email), "role": .string(role), "application_id": .optional(tenant?.id.description),
            "password": .string(password),
        ]
    }

    @Test("an account is made, signs in, changes and goes; its role rules at once")
    func life() async throws {
        try await withGateway { site in
            let admin = try await site.signedIn(.superAdmin)
            let (tenant, _) = try await site.application()
            let made = try await site.expect(201, .post, "/users/", as: admin, json: draft("Vi@example.com", "viewer", of: tenant))
            #expect(made.json.keys == ["id", "email", "role", "application_id", "created_at", "last_login_at"])
            #expect(made.json["email"] == "vi@example.com" && made.json["last_login_at"] == .null)
            #expect(!made.text.contains(Self.password))
            let path = "/users/\(made.json["id"]?.string ?? "")"
            #expect(try await site.expect(200, .get, "/users/", as: admin).json.all("email").contains("vi@example.com"))

            let token = try await site.signIn("vi@example.com", Self.password)
            #expect(try await site.expect(200, .get, path, as: admin).json["last_login_at"]?.string != nil)
            let change: JSON = ["is_active": true]
            try await site.expect(403, .put, "/applications/\(tenant.id)", as: token, json: change)
            #expect(try await site.expect(200, .put, path, as: admin, json: ["role": "app_admin"]).json["role"] == "app_admin")
            try await site.expect(200, .put, "/applications/\(tenant.id)", as: token, json: change)

            try await site.expect(204, .delete, path, as: admin)
            try await site.expect(401, .get, "/auth/me", as: token)
            try await site.expect(404, .get, path, as: admin)
            try await site.expect(404, .delete, path, as: admin)
            // The address is free again.
            try await site.expect(201, .post, "/users/", as: admin, json: draft("vi@example.com", "viewer", of: tenant))
        }
    }

    @Test("people see and may change their own account only, and of it the password, which ends all of its sessions")
    func own() async throws {
        try await withGateway { site in
            let admin = try await site.signedIn(.superAdmin)
            let (tenant, secret) = try await site.application()
            var ids: [String] = []
            for name in ["ann", "bob"] {
                let made = try await site.expect(
                    201, .post, "/users/", as: admin, json: draft("\(name)@x.example", "app_admin", of: tenant))
                ids.append(try #require(made.json["id"]?.string))
            }
            let ann = try await site.signIn("ann@x.example", Self.password)
            try await site.expect(403, .get, "/users/", as: ann)
            try await site.expect(403, .post, "/users/", as: ann, json: draft("c@x.example", "viewer", of: tenant))
            try await site.expect(404, .get, "/users/\(ids[1])", as: ann)
            try await site.expect(404, .put, "/users/\(ids[1])", as: ann, json: ["password": "another password"])
            try await site.expect(403, .delete, "/users/\(ids[1])", as: ann)
            try await site.expect(404, .get, "/users/\(ids[0])", as: secret)
            #expect(try await site.expect(200, .get, "/users/\(ids[0])", as: ann).json["email"] == "ann@x.example")
            try await site.expect(422, .put, "/users/\(ids[0])", as: ann, json: ["role": "super_admin"])
            try await site.expect(403, .put, "/users/\(ids[0])", as: ann, json: ["role": "viewer"])
            try await site.expect(422, .put, "/users/\(ids[0])", as: ann, json: ["password": "short"])
            try await site.expect(200, .put, "/users/\(ids[0])", as: ann, json: ["password": "another password"])
            try await site.expect(401, .get, "/auth/me", as: ann)
            let again = try await site.signIn("ann@x.example", "another password")
            try await site.expect(200, .get, "/auth/me", as: again)
        }
    }

    @Test("what is wrong with an account is said, and somebody stays super admin")
    func refused() async throws {
        try await withGateway { site in
            let (tenant, _) = try await site.application()
            let admin = try await site.signIn()
            try await site.expect(409, .post, "/users/", as: admin, json: draft(Site.email, "super_admin"))
            let wrong: [JSON] = [
                draft("nobody", "viewer", of: tenant), draft("a@b.example", "king", of: tenant), draft("a@b.example", "viewer"),
                draft("a@b.example", "super_admin", of: tenant), draft("a@b.example", "viewer", of: tenant, password: "eleven char"),
                ["email": "a@b.example", "password": .string(Self.password)], ["role": "viewer"],
            ]
            for body in wrong { try await site.expect(422, .post, "/users/", as: admin, json: body) }
            let stranger: JSON = [
                "email": "a@b.example", "role": "viewer", "application_id": .string(Identifier.random().description),
                "password": .string(Self.password),
            ]
            try await site.expect(404, .post, "/users/", as: admin, json: stranger)
            let list = try await site.expect(200, .get, "/users/", as: admin).json
            #expect(list.array?.count == 1)
            let own = "/users/\(list.array?.first?["id"]?.string ?? "")"
            #expect(try await site.expect(409, .delete, own, as: admin).code == "last_super_admin")
            let demotion: JSON = ["role": "viewer", "application_id": .string(tenant.id.description)]
            #expect(try await site.expect(409, .put, own, as: admin, json: demotion).code == "last_super_admin")
            try await site.expect(404, .get, "/users/x", as: admin)
        }
    }

    @Test("two super admins who take the role from each other, or delete each other, at the same moment are never both without it")
    func bothAtOnce() async throws {
        try await withGateway { site in
            let (tenant, _) = try await site.application()
            let first = try #require(try await site.room.accounts.find(email: Site.email))
            let demotion: JSON = ["role": "viewer", "application_id": .string(tenant.id.description)]
            for round in 0..<20 {
                let second = try #require(
                    try await site.room.accounts.create(
                        email: "\(round)@x.example", password: Self.password, role: .superAdmin, tenant: nil))
                let (one, two) = (try await site.signIn(), try await site.signIn(second.email, Self.password))
                let isDeleting = round % 2 == 1
                async let left = site.send(
                    isDeleting ? .delete : .put, "/users/\(second.id)", bearer: one, json: isDeleting ? nil : demotion)
                async let right = site.send(.put, "/users/\(first.id)", bearer: two, json: demotion)
                let statuses = [try await left.status, try await right.status]
                #expect(statuses.allSatisfy { [200, 204, 403, 409, 401, 404].contains($0) }, "\(statuses)")
                let admins = try await site.room.accounts.list().filter { $0.role == .superAdmin }
                #expect(!admins.isEmpty, "\(statuses)")
                // As it was, for the next round.
                if let now = try await site.room.accounts.get(first.id) { _ = try await site.room.accounts.update(first, from: now) }
                if let now = try await site.room.accounts.get(second.id) { _ = try await site.room.accounts.delete(now) }
            }
        }
    }

    @Test("a changed ADMIN_PASSWORD ends the sessions of the old one; its account gets the role back when nobody has it")
    func changedVariable() async throws {
        try await withGateway { site in
            let token = try await site.signIn()
            try await site.room.accounts.ensureSuperAdmin(email: Site.email, password: Site.password)
            try await site.expect(200, .get, "/auth/me", as: token)
            try await site.room.accounts.ensureSuperAdmin(email: Site.email, password: "another password")
            try await site.expect(401, .get, "/auth/me", as: token)

            let account = try #require(try await site.room.accounts.find(email: Site.email))
            var demoted = account
            demoted.role = .viewer
            #expect(try await site.room.accounts.update(demoted, from: account))
            try await site.room.accounts.ensureSuperAdmin(email: Site.email, password: "another password")
            #expect(try await site.room.accounts.get(account.id)?.role == .superAdmin)
            // Where somebody else has it, who was demoted stays so.
            _ = try await site.room.accounts.create(email: "b@x.example", password: Self.password, role: .superAdmin, tenant: nil)
            #expect(try await site.room.accounts.update(demoted, from: account))
            try await site.room.accounts.ensureSuperAdmin(email: Site.email, password: "another password")
            #expect(try await site.room.accounts.get(account.id)?.role == .viewer)
        }
    }

    @Test("signing out ends that session, with the tokens refreshed from it, and no other")
    func logout() async throws {
        try await withGateway { site in
            let one = try await site.signIn()
            let two = try await site.signIn()
            let refreshed = try #require(try await site.expect(200, .post, "/auth/refresh", as: one).json["access_token"]?.string)
            try await site.expect(204, .post, "/auth/logout", as: refreshed)
            try await site.expect(401, .get, "/auth/me", as: one)
            try await site.expect(401, .get, "/auth/me", as: refreshed)
            try await site.expect(401, .post, "/auth/refresh", as: one)
            try await site.expect(200, .get, "/auth/me", as: two)
            try await site.expect(401, .post, "/auth/logout")
        }
    }

    @Test("each change is in the audit log: who, what, before and after, and no secret")
    func audit() async throws {
        try await Office.with { office in
            let site = office.site
            let queue = "/queues/\(office.one.queue.id)"
            let changed = try await site.expect(
                200, .put, queue, as: office.one.admin, json: ["max_users_per_minute": 77, "message": "Soon"])
            try await site.expect(200, .post, "/applications/\(office.one.tenant.id)/rotate_keys", as: office.one.admin)
            try await site.expect(204, .delete, "/queues/\(office.other.queue.id)", as: office.other.admin)

            let lines = try await site.expect(200, .get, "/audit", as: office.one.viewer)
            #expect(lines.json.all("action").prefix(2) == ["application.rotate_keys", "queue.update"])
            #expect(!lines.text.contains(office.other.queue.id.description))
            #expect(!lines.text.contains("sk_"))
            let line = try #require(lines.json.array?.first { $0["action"] == "queue.update" })
            #expect(line.keys == ["id", "at", "actor", "action", "target_type", "target_id", "before", "after", "request_id"])
            #expect(line["target_type"] == "queue" && line["target_id"] == .string(office.one.queue.id.description))
            #expect(line["after"]?["message"] == "Soon" && line["before"]?["message"] == .null)
            #expect(line["after"]?.keys == ["max_users_per_minute", "message"])
            #expect(line["request_id"] == .string(changed.headers[.requestID] ?? ""))

            let ofQueue = try await site.expect(200, .get, "/audit?queue_id=\(office.one.queue.id)", as: office.one.viewer).json
            #expect(ofQueue.all("action").allSatisfy { $0.hasPrefix("queue.") } && ofQueue.array?.isEmpty == false)
            let newest = lines.json.array?.first?["id"]?.string ?? ""
            let older = try await site.expect(200, .get, "/audit?limit=1&before=\(newest)", as: office.one.viewer).json
            #expect(older.all("action") == ["queue.update"])
            let all = try await site.expect(200, .get, "/audit", as: office.superAdmin).json
            #expect(all.all("action").first == "queue.delete")
            try await site.expect(404, .get, "/audit?application_id=\(office.other.tenant.id)", as: office.one.viewer)
            for query in ["before=x", "limit=0", "limit=201", "queue_id=x"] {
                try await site.expect(422, .get, "/audit?\(query)", as: office.one.viewer)
            }
            try await site.expect(401, .get, "/audit")
        }
    }
}
