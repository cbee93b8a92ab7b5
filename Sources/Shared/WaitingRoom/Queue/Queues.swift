package import Redis

/// The queues: their settings here, what happens in them in the extensions (`Queues+join.swift` and so on), one file for each verb.
package final class Queues: Sendable {
    let redis: RedisClient
    let catalogue: Catalogue
    package let signer: TicketSigner
    let entryIDs: EntryIdentifiers
    package let shuffles: Shuffles
    let memory: QueueMemory
    let joins = JoinBatches()
    let retentionHours: Double
    let rebuildSeconds: Int
    private let cache = FreshCache<RememberedQueue>()

    /// - Parameters:
    ///   - memory: what the process knows of the catalogue.
    ///   - retentionHours: how long finished people stay readable (`RETENTION_HOURS`).
    ///   - rebuildSeconds: how long releases wait for the visitors' tickets after a loss (`REBUILD_SECONDS`).
    package init(
        redis: RedisClient, secret: SecretKey, memory: CatalogueMemory = CatalogueMemory(), retentionHours: Double = 24,
        rebuildSeconds: Int = 30
    ) {
        self.redis = redis
        self.retentionHours = retentionHours
        self.rebuildSeconds = rebuildSeconds
        let seen = QueueMemory()
        self.memory = seen
        catalogue = Catalogue(redis: redis, memory: memory, highestSequence: seen.highestSequence(of:))
        signer = TicketSigner(secret)
        entryIDs = EntryIdentifiers(secret)
        shuffles = Shuffles(secret)
    }

    /// Makes a queue of `tenant`; `change` sets what differs from the defaults. Its desk has a key that nobody knows, unless `change` sets
    /// one.
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
        queue.shuffleCommitment = shuffles.commitment(to: queue.opening, of: id)
        let record = CatalogueRecord(kind: .queue, id: id, fields: Dictionary(queue.fields) { $1 })
        try await catalogue.write(record)
        return try await catalogue.publish(record) ? queue : nil
    }

    /// The queue as Redis has it now; `nil` when there is none or it was deleted.
    package func get(_ id: Identifier) async throws(RedisError) -> Queue? {
        let queue = try await catalogue.fields(.queue, id).flatMap { Queue(id: id, fields: $0) }
        let visible = queue.flatMap { $0.isDeleted ? nil : $0 }
        cache.store(visible.map(RememberedQueue.init), for: id)
        return visible
    }

    /// The queue as it was at most ``FreshCache/life`` ago; while Redis is away, as this process knew it last.
    package func recent(_ id: Identifier) async throws(RedisError) -> Queue? {
        if let known = cache.fresh(id) { return known?.queue }
        return try await getOrRecall(id)
    }

    private func getOrRecall(_ id: Identifier) async throws(RedisError) -> Queue? {
        do {
            return try await get(id)
        } catch {
            guard error.isUnavailable, let known = lastKnown(id) else { throw error }
            return known
        }
    }

    /// The queue as this process knew it last.
    package func lastKnown(_ id: Identifier) -> Queue? { catalogue.memory.fields(.queue, id).flatMap { Queue(id: id, fields: $0) } }

    /// The queue if it is in memory and fresh; `.none` when only ``recent(_:)`` can tell. It is read again before it is not.
    package func remembered(_ id: Identifier) -> RememberedQueue?? {
        var isDue = false
        let known = cache.fresh(id, isDue: &isDue)
        if isDue { Task { _ = try? await get(id) } }
        return known
    }

    /// Reads the queue again when it is next asked for.
    func forget(_ id: Identifier) { cache.forget(id) }

    /// The tenant's queue named by its UUID or its slug; while Redis is away, as this process knew it last.
    package func find(_ name: String, of tenant: Identifier) async throws(RedisError) -> Queue? {
        if let id = Identifier(uuid: name), let queue = try await getOrRecall(id), queue.tenant == tenant { return queue }
        guard let id = try await catalogue.recentIdentifier(ofSlug: "\(tenant.compact)/\(name)", .queue) else { return nil }
        return try await getOrRecall(id)
    }

    /// The queues of one tenant, or all, that were not deleted, by creation.
    package func list(of tenant: Identifier? = nil) async throws(RedisError) -> [Queue] {
        let ids = try await catalogue.identifiers(.queue, in: tenant.map(CatalogueKeys.queues(of:)))
        return try await zip(ids, catalogue.fields(.queue, ids)).compactMap { id, fields in
            fields.flatMap { Queue(id: id, fields: $0) }.flatMap { $0.isDeleted ? nil : $0 }
        }
    }

    /// The command that tells whether anything is to be done in a queue: more than 0 when somebody waits, is owed a callback or is on the
    /// way to another queue.
    package static func look(at queue: Identifier) -> RedisCommand {
        let keys = QueueKeys(queue)
        return RedisCommand("EXISTS", .string(keys.waiting), .string(keys.outbox), .string(keys.transfers))
    }

    /// Writes the queue's settings; they rule from the next script on, for those already waiting too.
    /// - Parameter before: what was read; only what differs is written, so that two changes of different settings at once both hold.
    ///   `nil` writes all.
    /// - Returns: `false` when it was deleted meanwhile.
    package func update(_ queue: Queue, from before: Queue? = nil) async throws(RedisError) -> Bool {
        defer { cache.forget(queue.id) }
        var queue = queue
        if let before { prepareOpening(of: &queue, from: before, at: before.opensAt == nil ? .now() : try await time(of: before)) }
        let fixed: Set = ["tenant", "slug", "epoch", "created_at", "deleted", "admin_key"]
        let fields = queue.fields.filter { !fixed.contains($0.0) }
        return try await catalogue.change(fields, from: before?.fields, of: .queue, queue.id)
    }

    /// What comes after an opening that has been is another one, with lots of its own; one that is put off stays the same.
    private func prepareOpening(of queue: inout Queue, from before: Queue, at now: Timestamp) {
        // Where the time is taken away before it has come, those who wait go in now.
        if before.opensAt != nil, before.isOpen(at: now) || queue.opensAt == nil { queue.opened = before.opening }
        if queue.opensAt != nil, queue.opensAt != before.opensAt, queue.opened == queue.opening { queue.opening += 1 }
        if queue.opening != before.opening || before.shuffleCommitment == nil {
            queue.shuffleCommitment = shuffles.commitment(to: queue.opening, of: queue.id)
        }
    }

    /// Redis's clock, which the scripts of a queue go by.
    func time(of queue: Queue) async throws(RedisError) -> Timestamp {
        let time = (try await redis.send(RedisCommand("TIME"), near: queue.keys.counters).array ?? []).map { $0.integer ?? 0 }
        guard time.count == 2 else { return .now() }
        return Timestamp(milliseconds: time[0] * 1000 + time[1] / 1000)
    }

    /// Hides the queue: nobody joins it or is let in any more, and its incidents are nobody's business.
    /// - Parameter retentionHours: how long what it holds stays; an hour more where no worker is there to remove it.
    /// - Returns: `false` when there was none.
    package func delete(_ id: Identifier, retentionHours: Double) async throws(RedisError) -> Bool {
        defer { cache.forget(id) }
        let keys = QueueKeys(id)
        let wasThere = try await catalogue.change([("deleted", "1"), ("active", "0")], of: .queue, id)
        // What expires is freed in one piece, a second of Redis's time where a million waited: a worker is to remove it before (``Purge``).
        let life = Int64((retentionHours + 1) * 3_600_000)
        _ = try await redis.pipeline(
            [RedisCommand("DEL", .string(keys.incidents))] + keys.contents.map { RedisCommand("PEXPIRE", .string($0), .integer(life)) })
        return wasThere
    }
}
