import Redis

/// Reads and writes the records of tenants, queues and accounts.
///
/// A record is written first and published afterwards, in one step with its slug and its place in the indexes (`publish-2.lua`): a writer
/// that dies in between leaves a record that nobody can find.
///
/// Whatever is read is compared with what this process knows: a record that Redis has lost, or has an older state of, is given back on the
/// spot (`restore_record-1.lua`, `restore_queue-2.lua`), so that whoever asks sees it. Deleting leaves the record marked as deleted, which
/// is how a loss is told from it.
struct Catalogue: Sendable {
    /// How long an account that was deleted stays marked as such: longer than any gateway goes without reading it.
    private static let deletedSeconds: Int64 = 7 * 86_400

    let redis: RedisClient
    let memory: CatalogueMemory
    /// The highest sequence number that this process knows of a queue.
    let highestSequence: @Sendable (Identifier) -> Int64

    init(redis: RedisClient, memory: CatalogueMemory, highestSequence: @escaping @Sendable (Identifier) -> Int64 = { _ in 0 }) {
        self.redis = redis
        self.memory = memory
        self.highestSequence = highestSequence
    }

    // MARK: Reading

    /// A hash that belongs to no record.
    func fields(of key: String) async throws(RedisError) -> [String: String]? {
        try await redis.send(RedisCommand("HGETALL", .string(key))).fields
    }

    func fields(_ kind: CatalogueRecord.Kind, _ id: Identifier) async throws(RedisError) -> [String: String]? {
        try await known(kind, id, found: try await fields(of: kind.key(id)))
    }

    /// The records of `ids` in one round trip; `nil` where there is none.
    func fields(_ kind: CatalogueRecord.Kind, _ ids: [Identifier]) async throws(RedisError) -> [[String: String]?] {
        guard !ids.isEmpty else { return [] }
        var all: [[String: String]?] = []
        for (id, result) in zip(ids, try await redis.pipeline(ids.map { RedisCommand("HGETALL", .string(kind.key($0))) })) {
            all.append(try await known(kind, id, found: try result.get().fields))
        }
        return all
    }

    /// What Redis has, or what it had: then it is given back.
    private func known(_ kind: CatalogueRecord.Kind, _ id: Identifier, found: [String: String]?) async throws(RedisError) -> [String:
        String]?
    {
        guard let lost = memory.lost(kind, id, found: found) else { return found }
        try await restore(lost)
        return lost.fields
    }

    /// Ids in the order of creation: of all of a kind, or of those in an index of its own.
    func identifiers(_ kind: CatalogueRecord.Kind, in index: String? = nil) async throws(RedisError) -> [Identifier] {
        let listed = try await list(index ?? kind.index)
        if let index {
            // An index of its own is as complete as the one of all.
            return try await heal(kind, listed: try await list(kind.index)) ? try await list(index) : listed
        }
        return try await heal(kind, listed: listed) ? try await list(kind.index) : listed
    }

    private func list(_ index: String) async throws(RedisError) -> [Identifier] {
        let reply = try await redis.send(RedisCommand("ZRANGE", .string(index), 0, -1))
        return (reply.array ?? []).compactMap { $0.string.flatMap(Identifier.init(compact:)) }
    }

    /// The ids published last, newest first.
    func latest(_ kind: CatalogueRecord.Kind, _ count: Int) async throws(RedisError) -> [Identifier] {
        let reply = try await redis.send(RedisCommand("ZRANGE", .string(kind.index), 0, .integer(Int64(count - 1)), "REV"))
        return (reply.array ?? []).compactMap { $0.string.flatMap(Identifier.init(compact:)) }
    }

    /// Reads what is known here and is not in the list of all, which gives it back if it was lost.
    /// - Returns: whether there was any.
    private func heal(_ kind: CatalogueRecord.Kind, listed: [Identifier]) async throws(RedisError) -> Bool {
        let missing = memory.identifiers(kind, besides: listed)
        _ = try await fields(kind, missing)
        return !missing.isEmpty
    }

    func identifier(ofSlug slug: String, _ kind: CatalogueRecord.Kind) async throws(RedisError) -> Identifier? {
        let place = kind.place(of: slug)
        if let text = try await redis.send(RedisCommand("HGET", .string(place.slugs), .string(place.slug))).string {
            return Identifier(compact: text)
        }
        guard let id = memory.identifier(of: slug, kind) else { return nil }
        return try await fields(kind, id).flatMap { $0["deleted"] == "1" ? nil : id }
    }

    /// ``identifier(ofSlug:_:)``; while Redis is away, as this process knew it last.
    func recentIdentifier(ofSlug slug: String, _ kind: CatalogueRecord.Kind) async throws(RedisError) -> Identifier? {
        do {
            return try await identifier(ofSlug: slug, kind)
        } catch {
            guard error.isUnavailable, let id = memory.identifier(of: slug, kind) else { throw error }
            return id
        }
    }

    // MARK: Writing

    func write(_ record: CatalogueRecord) async throws(RedisError) {
        _ = try await redis.send(RedisCommand("HSET", arguments: [.string(record.key)] + Self.arguments(record.fields.map { ($0, $1) })))
    }

    /// Makes a written record visible; `false` when the slug is taken, and then the record is removed again.
    func publish(_ record: CatalogueRecord) async throws(RedisError) -> Bool {
        if try await makeVisible(record, created: 0) {
            memory.note(record)
            return true
        }
        _ = try await redis.send(RedisCommand("DEL", .string(record.key)))
        return false
    }

    /// A queue is listed under its tenant first and among all a moment later. One left in between is listed when somebody next reads it
    /// (``heal(_:listed:)``).
    /// - Parameter created: ms, 0 for now.
    private func makeVisible(_ record: CatalogueRecord, created: Int64) async throws(RedisError) -> Bool {
        guard let slug = record.slug else { return false }
        let place = record.kind.place(of: slug)
        let reply = try await redis.evaluate(
            Scripts.publish, keys: [place.slugs, place.tenant.map(CatalogueKeys.queues(of:)) ?? record.kind.index],
            arguments: [.string(place.slug), .string(record.id.compact), .integer(created)])
        guard let listed = reply.integer, listed >= 0 else { return false }
        if place.tenant != nil {
            _ = try await redis.send(
                RedisCommand("ZADD", .string(record.kind.index), "NX", .integer(listed), .string(record.id.compact)))
        }
        return true
    }

    /// Deletes a record and makes it invisible. Repeating it finishes what was begun.
    /// - Returns: `false` when there was none.
    func delete(_ kind: CatalogueRecord.Kind, _ id: Identifier, slug: String) async throws(RedisError) -> Bool {
        let wasThere = try await change([("deleted", "1")], of: kind, id)
        let place = kind.place(of: slug)
        let reply = try await redis.evaluate(
            Scripts.unpublish, keys: [place.slugs, kind.index], arguments: [.string(place.slug), .string(id.compact)])
        _ = try await redis.send(RedisCommand("EXPIRE", .string(kind.key(id)), .integer(Self.deletedSeconds)))
        return wasThere || reply.integer == 1
    }

    /// Changes fields of a record; `false` when there is none (any more).
    func change(_ fields: [(String, String)], of kind: CatalogueRecord.Kind, _ id: Identifier) async throws(RedisError) -> Bool {
        let reply = try await redis.evaluate(Scripts.change, keys: [kind.key(id)], arguments: Self.arguments(fields))
        guard let changed = reply.integer, changed > 0 else { return false }
        memory.note(fields, of: kind, id, at: changed)
        return true
    }

    /// Changes those of `fields` that differ from `before`; `false` when there is no record (any more).
    func change(_ fields: [(String, String)], from before: [(String, String)]?, of kind: CatalogueRecord.Kind, _ id: Identifier)
        async throws(RedisError) -> Bool
    {
        guard let before else { return try await change(fields, of: kind, id) }
        let known = Dictionary(before) { $1 }
        let changed = fields.filter { known[$0.0] != $0.1 }
        if !changed.isEmpty { return try await change(changed, of: kind, id) }
        return try await self.fields(kind, id).map { $0["deleted"] != "1" } ?? false
    }

    // MARK: Giving back

    /// Writes a record back that Redis has lost or has an older state of, and makes it visible; never over a newer one. A queue without its
    /// settings has lost its people too, who are waited for (`loss.lua`).
    /// - Returns: whether it was written.
    @discardableResult
    func restore(_ record: CatalogueRecord) async throws(RedisError) -> Bool {
        let arguments = [.integer(record.changedMicroseconds)] + Self.arguments(record.fields.map { ($0, $1) })
        let reply =
            if record.kind == .queue {
                try await redis.evaluate(
                    Scripts.restoreQueue, keys: [record.key, QueueKeys(record.id).counters],
                    arguments: [.integer(highestSequence(record.id))] + arguments)
            } else {
                try await redis.evaluate(Scripts.restoreRecord, keys: [record.key], arguments: arguments)
            }
        memory.note(record)
        if record.isDeleted {
            if record.kind == .account, let slug = record.slug { _ = try await delete(.account, record.id, slug: slug) }
        } else {
            _ = try await makeVisible(record, created: record.createdMilliseconds)
        }
        return reply.integer == 1
    }

    private static func arguments(_ fields: [(String, String)]) -> [RedisArgument] {
        fields.flatMap { [.string($0.0), .string($0.1)] }
    }
}
