package import Redis

/// The accounts that may sign in.
package struct Accounts: Sendable {
    private let redis: RedisClient
    private let catalogue: Catalogue
    private let passwordHash: PasswordHash

    /// - Parameter memory: what the process knows of the catalogue.
    package init(redis: RedisClient, passwordHash: PasswordHash = .standard, memory: CatalogueMemory = CatalogueMemory()) {
        self.redis = redis
        self.passwordHash = passwordHash
        catalogue = Catalogue(redis: redis, memory: memory)
    }

    /// Makes an account.
    /// - Parameter email: compared without regard to the case of ASCII letters.
    /// - Returns: `nil` when the address has one.
    package func create(email: String, password: String, role: Account.Role, tenant: Identifier?) async throws -> Account? {
        let id = Identifier.random()
        let account = Account(
            id: id, email: email.lowercased(), role: role, tenant: tenant, passwordHash: try await passwordHash.make(password),
            created: .now())
        let record = CatalogueRecord(kind: .account, id: id, fields: Dictionary(account.fields) { $1 })
        try await catalogue.write(record)
        return try await catalogue.publish(record) ? account : nil
    }

    package func get(_ id: Identifier) async throws(RedisError) -> Account? {
        try await catalogue.fields(.account, id).flatMap { Account(id: id, fields: $0) }
    }

    /// All accounts, by creation.
    package func list() async throws(RedisError) -> [Account] {
        let ids = try await catalogue.identifiers(.account)
        return try await zip(ids, catalogue.fields(.account, ids)).compactMap { id, fields in
            fields.flatMap { Account(id: id, fields: $0) }
        }
    }

    /// Writes role and tenant; they rule from the next request on.
    /// - Returns: `false` when the account was deleted meanwhile.
    package func update(_ account: Account, from before: Account) async throws(RedisError) -> Bool {
        try await catalogue.change(account.fields, from: before.fields, of: .account, account.id)
    }

    /// Sets a password and ends all sessions of the account.
    /// - Returns: `false` when the account was deleted meanwhile.
    @discardableResult
    package func setPassword(of id: Identifier, to password: String) async throws -> Bool {
        let hash = try await passwordHash.make(password)
        let now = String(Timestamp.now().milliseconds / 1000 + 1)
        return try await catalogue.change([("password", hash), ("sessions_since", now)], of: .account, id)
    }

    /// Deletes an account; its sessions are over with the next request.
    /// - Returns: `false` when there was none.
    package func delete(_ account: Account) async throws(RedisError) -> Bool {
        try await catalogue.delete(.account, account.id, slug: account.email)
    }

    /// Notes a sign-in.
    package func noteSignIn(_ id: Identifier) async throws(RedisError) {
        _ = try await catalogue.change([("signed_in_at", String(Timestamp.now().milliseconds))], of: .account, id)
    }

    // MARK: Sessions

    /// Ends a session before its time, for `seconds`, after which it would be over anyhow.
    package func end(session: Identifier, forSeconds seconds: Int) async throws(RedisError) {
        _ = try await redis.send(
            RedisCommand("SET", .string(CatalogueKeys.endedSession(session)), "1", "EX", .integer(Int64(seconds))))
    }

    /// The account of a session that has not been ended and began at `signedIn` (seconds since 1970).
    package func get(_ id: Identifier, session: Identifier, signedIn: Int) async throws(RedisError) -> Account? {
        let ended = try await redis.send(RedisCommand("EXISTS", .string(CatalogueKeys.endedSession(session))))
        guard ended.integer == 0, let account = try await get(id), signedIn >= account.sessionsSince else { return nil }
        return account
    }

    package func find(email: String) async throws(RedisError) -> Account? {
        guard let id = try await catalogue.identifier(ofSlug: email.lowercased(), .account) else { return nil }
        return try await get(id)
    }

    /// The account that `password` opens; `nil` for a wrong password and for an address that has none, after the same time.
    package func signIn(email: String, password: String) async throws -> Account? {
        let account = try await find(email: email)
        let hash = account?.passwordHash ?? passwordHash.closed
        return try await PasswordHash.verify(password, hash) ? account : nil
    }

    /// Sees to it that the first super admin exists with this password (`ADMIN_EMAIL`, `ADMIN_PASSWORD`): an operator who changes the
    /// variable changes the password, and ends the sessions of the old one. When nobody has the role, the account gets it back.
    // Optimised, it crashes the compiler of Swift 6.3.1 in release builds ("While splitting coroutine").
    @_optimize(none)
    package func ensureSuperAdmin(email: String, password: String) async throws {
        guard let account = try await find(email: email) else {
            _ = try await create(email: email, password: password, role: .superAdmin, tenant: nil)
            return
        }
        if try await PasswordHash.verify(password, account.passwordHash) == false {
            try await setPassword(of: account.id, to: password)
        }
        if account.role != .superAdmin { try await promoteUnlessSomebodyIs(account) }
    }

    /// Makes `account` a super admin when nobody is one.
    private func promoteUnlessSomebodyIs(_ account: Account) async throws(RedisError) {
        let accounts = try await list()
        guard !accounts.contains(where: { $0.role == .superAdmin }) else { return }
        var promoted = account
        (promoted.role, promoted.tenant) = (.superAdmin, nil)
        _ = try await update(promoted, from: account)
    }
}

extension Account {
    init?(id: Identifier, fields: [String: String]) {
        guard fields["deleted"] != "1", let email = fields["email"], let role = fields["role"].flatMap(Role.init(rawValue:)),
            let hash = fields["password"]
        else {
            return nil
        }
        self.init(
            id: id, email: email, role: role, tenant: fields["tenant"].flatMap(Identifier.init(compact:)), passwordHash: hash,
            created: Timestamp(milliseconds: fields["created_at"].flatMap(Int64.init) ?? 0),
            lastSignIn: fields["signed_in_at"].flatMap(Int64.init).map { Timestamp(milliseconds: $0) },
            sessionsSince: fields["sessions_since"].flatMap(Int.init) ?? 0)
    }

    var fields: [(String, String)] {
        [
            ("email", email), ("role", role.rawValue), ("tenant", tenant?.compact ?? ""), ("password", passwordHash),
            ("created_at", String(created.milliseconds)),
        ]
    }
}
