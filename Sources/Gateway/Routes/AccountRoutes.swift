import Hummingbird
import WaitingRoom

/// The people who may sign in.
struct AccountRoutes {
    static let shortestPassword = 12

    let room: Room

    var routes: [Route] {
        [
            Route(
                .get, "/users/", access: .superAdmin,
                Operation(
                    tag: "Users", summary: "The people who may sign in, by creation", parameters: Paging.parameters,
                    answer: Operation.list(of: "User"), failures: [422]),
                handler: list),
            Route(
                .post, "/users/", access: .superAdmin,
                Operation(
                    tag: "Users", summary: "Let somebody sign in", body: Operation.schema("UserDraft"), success: 201,
                    answer: Operation.schema("User"), failures: [404, 409, 413, 415, 422]),
                handler: create),
            Route(
                .get, "/users/{id}", access: .viewer,
                Operation(
                    tag: "Users", summary: "One account: a super admin any, others their own", answer: Operation.schema("User"),
                    failures: [404]),
                handler: get),
            Route(
                .put, "/users/{id}", access: .viewer,
                Operation(
                    tag: "Users",
                    summary:
                        "Change role, application or password: a super admin of any, others their own password. A new password ends all sessions",
                    body: Operation.schema("UserChange"), answer: Operation.schema("User"), failures: [404, 409, 413, 415, 422]),
                handler: update),
            Route(
                .delete, "/users/{id}", access: .superAdmin,
                Operation(tag: "Users", summary: "Delete an account and end its sessions", success: 204, failures: [404, 409]),
                handler: delete),
        ]
    }

    @Sendable func list(_ request: Request, context: GatewayContext) async throws -> Response {
        _ = try await room.caller(request, atLeast: .superAdmin)
        var query = try request.queryFields()
        let paging = Paging(&query)
        try query.check()
        return .json(.array(paging.of(try await room.accounts.list()).map(Self.json)))
    }

    @Sendable func create(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .superAdmin)
        var fields = try await request.fields()
        let email = fields.text("email", length: 3...320)
        if !email.isEmpty, !Self.isAddress(email) { fields.note("email", type: "value_error", "Input should be an e-mail address") }
        if !fields.has("role") { _ = fields.text("role") }
        let role = fields.choice("role", of: Account.Role.self)
        let application = fields.isNull("application_id") ? nil : fields.optionalIdentifier("application_id")
        let password = fields.text("password", length: Self.shortestPassword...1024)
        if let role { Self.checkScope(&fields, role, application) }
        try fields.check()
        guard let role else { throw GatewayError.accountNotFound }
        if let application { _ = try await room.tenant(application, for: caller) }
        guard let account = try await room.accounts.create(email: email, password: password, role: role, tenant: application) else {
            throw GatewayError.conflict("This e-mail address has an account: change that one", code: "email_taken")
        }
        await room.note("user.create", on: account.id, of: application, after: Self.json(account), by: caller, context)
        return .json(Self.json(account), status: .created)
    }

    @Sendable func get(_ request: Request, context: GatewayContext) async throws -> Response {
        .json(Self.json(try await account(request, context).account))
    }

    @Sendable func update(_ request: Request, context: GatewayContext) async throws -> Response {
        let (before, caller) = try await account(request, context)
        var fields = try await request.fields()
        var after = before
        let role = fields.choice("role", of: Account.Role.self)
        if let role { after.role = role }
        if fields.has("application_id") {
            after.tenant = fields.isNull("application_id") ? nil : fields.optionalIdentifier("application_id")
        }
        let password = fields.optionalText("password", length: Self.shortestPassword...1024, null: false)
        if after != before { Self.checkScope(&fields, after.role, after.tenant) }
        try fields.check()
        if after != before {
            guard caller.role == .superAdmin else { throw GatewayError.forbidden }
            if let tenant = after.tenant, tenant != before.tenant { _ = try await room.tenant(tenant, for: caller) }
            if after.role != .superAdmin { try await checkAnotherSuperAdmin(than: before) }
            try await change(before, to: after)
            await room.note(
                "user.update", on: after.id, of: after.tenant, before: Self.json(before), after: Self.json(after), by: caller, context)
        }
        if let password {
            guard try await room.accounts.setPassword(of: after.id, to: password) else { throw GatewayError.accountNotFound }
            await room.note("user.set_password", on: after.id, of: after.tenant, by: caller, context)
        }
        return .json(Self.json(after))
    }

    @Sendable func delete(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .superAdmin)
        let (account, _) = try await account(request, context)
        try await checkAnotherSuperAdmin(than: account)
        if account.role == .superAdmin {
            var demoted = account
            demoted.role = .viewer
            try await change(account, to: demoted)
        }
        guard try await room.accounts.delete(account) else { throw GatewayError.accountNotFound }
        await room.note("user.delete", on: account.id, of: account.tenant, before: Self.json(account), by: caller, context)
        return .noContent
    }

    /// The account that the path names, as far as the caller may know of it.
    /// - Throws: ``GatewayError`` 404.
    private func account(_ request: Request, _ context: GatewayContext) async throws -> (account: Account, caller: Caller) {
        let caller = try await room.caller(request, atLeast: .viewer)
        guard let id = Identifier(uuid: try context.parameter("id")) else { throw GatewayError.accountNotFound }
        if caller.role != .superAdmin {
            guard case .account(let own) = caller, own.id == id else { throw GatewayError.accountNotFound }
        }
        guard let account = try await room.accounts.get(id) else { throw GatewayError.accountNotFound }
        return (account, caller)
    }

    /// - Throws: ``GatewayError`` 409 when `account` is the only super admin: nobody could give the role back.
    private func checkAnotherSuperAdmin(than account: Account) async throws {
        guard account.role == .superAdmin else { return }
        guard try await room.accounts.list().contains(where: { $0.role == .superAdmin && $0.id != account.id }) else {
            throw GatewayError.conflict("This is the only super admin: make another one first", code: "last_super_admin")
        }
    }

    /// Writes role and application. Two super admins may take the role from each other at once: each looks again after it has written, and
    /// gives it back when nobody has it.
    private func change(_ before: Account, to after: Account) async throws {
        guard try await room.accounts.update(after, from: before) else { throw GatewayError.accountNotFound }
        guard before.role == .superAdmin, after.role != .superAdmin else { return }
        do {
            try await checkAnotherSuperAdmin(than: before)
        } catch {
            _ = try await room.accounts.update(before, from: after)
            throw error
        }
    }

    private static func checkScope(_ fields: inout Fields, _ role: Account.Role, _ application: Identifier?) {
        if role == .superAdmin, application != nil {
            fields.note("application_id", type: "value_error", "A super_admin has no application: leave it out or send null")
        } else if role != .superAdmin, application == nil {
            fields.note("application_id", type: "missing", "An \(role.rawValue) belongs to an application: send its id")
        }
    }

    private static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && !text.contains { $0.isWhitespace }
    }

    private static func json(_ account: Account) -> JSON {
        [
            "id": .string(account.id.description), "email": .string(account.email), "role": .string(account.role.rawValue),
            "application_id": .optional(account.tenant?.description), "created_at": .string(account.created.zoneless),
            "last_login_at": .optional(account.lastSignIn?.rfc3339),
        ]
    }
}

extension GatewayError {
    static let accountNotFound = notFound("User not found", code: "user_not_found")
}
