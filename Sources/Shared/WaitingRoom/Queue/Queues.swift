package import Redis

/// The queues: their settings here, what happens in them in the extensions (`Queues+join.swift` and so on), one file for each verb.
package struct Queues: Sendable {
    let redis: RedisClient
    let catalogue: Catalogue
    package let signer: TicketSigner
    let entryIDs: EntryIdentifiers
    private let cache = FreshCache<Queue>()

    package init(redis: RedisClient, secret: SecretKey) {
        self.redis = redis
        catalogue = Catalogue(redis: redis)
        signer = TicketSigner(secret)
        entryIDs = EntryIdentifiers(secret)
    }

    /// Makes a queue of `tenant`; `change` sets what differs from the defaults. Its desk has a key that nobody knows, unless `change` sets one.
    /// - Returns: `nil` when the tenant has a queue with that slug.
    package func create(tenant: Identifier, name: String, slug: String? = nil, change: (inout Queue) -> Void = { _ in })
        async throws(RedisError) -> Queue?
    {
        let id = Identifier.random()
        var queue = Queue(
            id: id, keys: QueueKeys(id), tenant: tenant, slug: slug ?? id.description, name: name,
            ratePerMinute: Queue.defaultRatePerMinute, state: .open, priority: 1,
            waitTTLSeconds: Queue.defaultWaitTTLSeconds, redirectURL: nil, returnHosts: [], uniqueVisitors: false, message: nil,
            language: "en", theme: "light", epoch: 1, created: .now(), isActive: true, isDeleted: false,
            adminKeyHash: AdminKey.generate().hash)
        change(&queue)
        let key = queue.keys.settings
        try await catalogue.write(queue.fields, to: key)
        let slugField = "\(tenant.compact)/\(queue.slug)"
        let made = try await catalogue.publish(
            id, slug: slugField, index: CatalogueKeys.queues(of: tenant), alsoIn: CatalogueKeys.queues, record: key)
        return made ? queue : nil
    }

    /// The queue as Redis has it now; `nil` when there is none or it was deleted.
    package func get(_ id: Identifier) async throws(RedisError) -> Queue? {
        let queue = try await catalogue.fields(of: QueueKeys(id).settings).flatMap { Queue(id: id, fields: $0) }
        let visible = queue.flatMap { $0.isDeleted ? nil : $0 }
        cache.store(visible, for: id)
        return visible
    }

    /// The queue as it was at most ``FreshCache/life`` ago.
    package func recent(_ id: Identifier) async throws(RedisError) -> Queue? {
        if let known = cache.fresh(id) { return known }
        return try await get(id)
    }

    /// The queue if it is in memory and fresh; `.none` when only ``recent(_:)`` can tell.
    package func remembered(_ id: Identifier) -> Queue?? { cache.fresh(id) }

    /// Reads the queue again when it is next asked for.
    func forget(_ id: Identifier) { cache.forget(id) }

    /// The tenant's queue named by its UUID or its slug.
    package func find(_ name: String, of tenant: Identifier) async throws(RedisError) -> Queue? {
        if let id = Identifier(uuid: name), let queue = try await get(id), queue.tenant == tenant { return queue }
        guard let id = try await catalogue.identifier(ofSlug: "\(tenant.compact)/\(name)") else { return nil }
        return try await get(id)
    }

    /// The queues of one tenant, or all, that were not deleted, by creation.
    package func list(of tenant: Identifier? = nil) async throws(RedisError) -> [Queue] {
        let ids = try await catalogue.identifiers(in: tenant.map(CatalogueKeys.queues(of:)) ?? CatalogueKeys.queues)
        return try await zip(ids, catalogue.fields(of: ids.map { QueueKeys($0).settings })).compactMap { id, fields in
            fields.flatMap { Queue(id: id, fields: $0) }.flatMap { $0.isDeleted ? nil : $0 }
        }
    }

    /// Writes the queue's settings; they rule from the next script on, for those already waiting too.
    /// - Parameter before: what was read; only what differs is written, so that two changes of different settings at once both hold.
    ///   `nil` writes all.
    /// - Returns: `false` when it was deleted meanwhile.
    package func update(_ queue: Queue, from before: Queue? = nil) async throws(RedisError) -> Bool {
        defer { cache.forget(queue.id) }
        let fixed: Set = ["tenant", "slug", "epoch", "created_at", "deleted", "admin_key"]
        let fields = queue.fields.filter { !fixed.contains($0.0) }
        return try await catalogue.change(fields, from: before?.fields, of: QueueKeys(queue.id).settings)
    }

    /// Hides the queue: nobody joins it or is let in any more, and its incidents are nobody's business.
    /// - Parameter retentionHours: how long what it holds stays.
    /// - Returns: `false` when there was none.
    package func delete(_ id: Identifier, retentionHours: Int) async throws(RedisError) -> Bool {
        defer { cache.forget(id) }
        let keys = QueueKeys(id)
        let wasThere = try await catalogue.change([("deleted", "1"), ("active", "0")], of: keys.settings)
        _ = try await redis.pipeline(
            [RedisCommand("DEL", .string(keys.incidents))]
                + keys.contents.map { RedisCommand("EXPIRE", .string($0), .integer(Int64(retentionHours) * 3600)) })
        return wasThere
    }
}
