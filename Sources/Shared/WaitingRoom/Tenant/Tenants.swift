package import Redis

/// The tenants: who they are and which keys are theirs.
package final class Tenants: Sendable {
    private let catalogue: Catalogue
    private let secret: SecretKey
    private let cache = FreshCache<Tenant>()

    /// - Parameter memory: what the process knows of the catalogue.
    package init(redis: RedisClient, secret: SecretKey, memory: CatalogueMemory = CatalogueMemory()) {
        catalogue = Catalogue(redis: redis, memory: memory)
        self.secret = secret
    }

    /// What a new tenant is made of.
    package struct Draft: Sendable {
        package var name: String
        package var domain: String
        package var callbackURL: String?
        package var redirectURL: String?
        /// Defaults to the text of the id.
        package var slug: String?
        package var ratePerMinute: Double?

        package init(
            name: String, domain: String, callbackURL: String? = nil, redirectURL: String? = nil, slug: String? = nil,
            ratePerMinute: Double? = nil
        ) {
            self.name = name
            self.domain = domain
            self.callbackURL = callbackURL
            self.redirectURL = redirectURL
            self.ratePerMinute = ratePerMinute
            self.slug = slug
        }
    }

    /// Makes a tenant.
    /// - Returns: the tenant and its secret key, which is told this once; `nil` when the slug is taken.
    package func create(_ draft: Draft) async throws -> (tenant: Tenant, secretKey: String)? {
        let id = Identifier.random()
        let secretKey = TenantKey.generate(.secret, tenant: id).text
        let tenant = Tenant(
            id: id, slug: draft.slug ?? id.description, name: draft.name, domain: draft.domain, callbackURL: draft.callbackURL,
            goneCallbackURL: nil, redirectURL: draft.redirectURL, apiKey: TenantKey.generate(.api, tenant: id).text,
            sealedSecret: try secret.seal(secretKey),
            previous: nil, created: .now(), isActive: true, isDeleted: false, ratePerMinute: draft.ratePerMinute)
        let record = CatalogueRecord(kind: .tenant, id: id, fields: Dictionary(tenant.fields) { $1 })
        try await catalogue.write(record)
        guard try await catalogue.publish(record) else { return nil }
        return (tenant, secretKey)
    }

    /// The tenant as Redis has it now; `nil` when there is none or it was deleted.
    package func get(_ id: Identifier) async throws(RedisError) -> Tenant? {
        let tenant = try await catalogue.fields(.tenant, id).flatMap { Tenant(id: id, fields: $0) }
        let visible = tenant.flatMap { $0.isDeleted ? nil : $0 }
        cache.store(visible, for: id)
        return visible
    }

    /// The tenant as it was at most ``FreshCache/life`` ago; while Redis is away, as this process knew it last.
    package func recent(_ id: Identifier) async throws(RedisError) -> Tenant? {
        if let known = cache.fresh(id) { return known }
        return try await getOrRecall(id)
    }

    private func getOrRecall(_ id: Identifier) async throws(RedisError) -> Tenant? {
        do {
            return try await get(id)
        } catch {
            guard error.isUnavailable, let known = lastKnown(id) else { throw error }
            return known
        }
    }

    /// The tenant as this process knew it last.
    package func lastKnown(_ id: Identifier) -> Tenant? { catalogue.memory.fields(.tenant, id).flatMap { Tenant(id: id, fields: $0) } }

    /// The tenant if it is in memory and fresh; `.none` when only ``recent(_:)`` can tell. It is read again before it is not.
    package func remembered(_ id: Identifier) -> Tenant?? {
        var isDue = false
        let known = cache.fresh(id, isDue: &isDue)
        if isDue { Task { _ = try? await get(id) } }
        return known
    }

    /// The tenant named by its UUID or its slug; while Redis is away, as this process knew it last.
    package func find(_ name: String) async throws(RedisError) -> Tenant? {
        if let id = Identifier(uuid: name), let tenant = try await getOrRecall(id) { return tenant }
        guard let id = try await catalogue.recentIdentifier(ofSlug: name, .tenant) else { return nil }
        return try await getOrRecall(id)
    }

    /// All tenants that were not deleted, by creation.
    package func list() async throws(RedisError) -> [Tenant] {
        let ids = try await catalogue.identifiers(.tenant)
        return try await zip(ids, catalogue.fields(.tenant, ids)).compactMap { id, fields in
            fields.flatMap { Tenant(id: id, fields: $0) }.flatMap { $0.isDeleted ? nil : $0 }
        }
    }

    /// Writes the tenant's changed name, domain, addresses and activity.
    /// - Parameter before: what was read; only what differs is written. `nil` writes all.
    /// - Returns: `false` when it was deleted meanwhile.
    package func update(_ tenant: Tenant, from before: Tenant? = nil) async throws(RedisError) -> Bool {
        defer { cache.forget(tenant.id) }
        let changeable: Set = ["name", "domain", "callback_url", "gone_callback_url", "redirect_url", "rate", "active"]
        let fields = tenant.fields.filter { changeable.contains($0.0) }
        return try await catalogue.change(fields, from: before?.fields, of: .tenant, tenant.id)
    }

    /// Notes that `url` wants no more callbacks of the tenant; `nil`: that it may have them again.
    package func refuseCallbacks(to url: String?, of id: Identifier) async throws(RedisError) {
        defer { cache.forget(id) }
        _ = try await catalogue.change([("gone_callback_url", url ?? "")], of: .tenant, id)
    }

    /// Hides the tenant: its keys are dead, its queues stop releasing, its callbacks stop.
    /// - Returns: `false` when there was none.
    package func delete(_ id: Identifier) async throws(RedisError) -> Bool {
        defer { cache.forget(id) }
        return try await catalogue.change([("deleted", "1"), ("active", "0")], of: .tenant, id)
    }

    /// Gives the tenant new keys. The old ones go on working for `graceSeconds`.
    package func rotateKeys(of tenant: Tenant, graceSeconds: Int) async throws -> (tenant: Tenant, secretKey: String)? {
        defer { cache.forget(tenant.id) }
        let secretKey = TenantKey.generate(.secret, tenant: tenant.id).text
        var rotated = tenant
        rotated.previous = Tenant.PreviousKeys(
            apiKey: tenant.apiKey, sealedSecret: tenant.sealedSecret, until: Timestamp.now().adding(seconds: graceSeconds))
        rotated.apiKey = TenantKey.generate(.api, tenant: tenant.id).text
        rotated.sealedSecret = try secret.seal(secretKey)
        let changed: Set = ["api_key", "secret", "old_api_key", "old_secret", "old_until"]
        let fields = rotated.fields.filter { changed.contains($0.0) }
        return try await catalogue.change(fields, of: .tenant, tenant.id) ? (rotated, secretKey) : nil
    }

    /// Whether `key` is the tenant's, the current or one still in its grace.
    package func isKey(_ key: TenantKey, of tenant: Tenant) -> Bool {
        guard key.tenant == tenant.id, tenant.isActive, !tenant.isDeleted else { return false }
        switch key.kind {
        case .api:
            if equalInConstantTime(key.text, tenant.apiKey) { return true }
            guard let previous = tenant.previous, previous.until > .now() else { return false }
            return equalInConstantTime(key.text, previous.apiKey)
        case .secret:
            if let current = secret.open(tenant.sealedSecret), equalInConstantTime(key.text, current) { return true }
            guard let previous = tenant.previous, previous.until > .now(), let old = secret.open(previous.sealedSecret) else {
                return false
            }
            return equalInConstantTime(key.text, old)
        }
    }

    /// The secrets that sign the tenant's callbacks: the current one, and behind it one still in its grace, so that a site may know either.
    /// None when the current one was sealed under a lost `SECRET_KEY`.
    package func signingSecrets(of tenant: Tenant) -> [String] {
        guard let current = secret.open(tenant.sealedSecret) else { return [] }
        guard let previous = tenant.previous, previous.until > .now(), let old = secret.open(previous.sealedSecret) else {
            return [current]
        }
        return [current, old]
    }
}
