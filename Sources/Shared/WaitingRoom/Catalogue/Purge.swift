package import Redis

/// Removes for good what was deleted, once the retention time is over. Until then it is only hidden.
///
/// The first run that sees a deletion notes when, and what it will need to know by then, in ``CatalogueKeys/deleted``; the note goes last.
/// So any number of workers may do this at once, and what one that dies leaves behind is the next one's.
package struct Purge: Sendable {
    fileprivate enum Note: Hashable {
        case tenant(Identifier, slug: String)
        case queue(Identifier, tenant: Identifier, slug: String)
    }

    private struct Record {
        let id: Identifier
        let tenant: Identifier?
        let slug: String
        let isDeleted: Bool
    }

    private static let batch = 500
    /// However short the retention time is: every process reads the catalogue each five seconds and gives back what it takes for lost
    /// (``CatalogueKeeper``), so it must have heard of a deletion before the record has gone.
    private static let shortestSeconds = 15.0

    private let redis: RedisClient

    package init(redis: RedisClient) { self.redis = redis }

    /// - Returns: how many queues and tenants went.
    package func run(retentionHours: Double) async throws(RedisError) -> Int {
        let tenants = try await records(in: CatalogueKeys.tenants, CatalogueKeys.tenant)
        let queues = try await records(in: CatalogueKeys.queues) { QueueKeys($0).settings }
        let deleted = Self.notes(tenants, queues)
        let living = Self.living(tenants, queues)

        let time = try await redis.send(RedisCommand("TIME"), near: CatalogueKeys.deleted).array?.first?.integer ?? 0
        let noted = try await notes()
        for note in deleted where noted[note] == nil {
            // Those of a deleted tenant are not marked yet, and would be given back from memory when they have gone.
            if case .queue(let id, _, _) = note { try await markDeleted(id) }
            try await write(note, at: time)
        }
        var gone = 0
        // Queues before their tenant.
        for (note, since) in noted.sorted(by: { $0.key.rank < $1.key.rank }) {
            if living.contains(note.id) {
                // Brought back by hand.
                try await forget(note)
            } else if Double(time - since) >= max(Self.shortestSeconds, retentionHours * 3600) {
                try await remove(note)
                gone += 1
            }
        }
        return gone
    }

    /// What is deleted: a queue is when its tenant is.
    private static func notes(_ tenants: [Record], _ queues: [Record]) -> Set<Note> {
        let deletedTenants = Set(tenants.filter(\.isDeleted).map(\.id))
        var notes = Set(tenants.filter(\.isDeleted).map { Note.tenant($0.id, slug: $0.slug) })
        for queue in queues {
            guard let tenant = queue.tenant, queue.isDeleted || deletedTenants.contains(tenant) else { continue }
            notes.insert(.queue(queue.id, tenant: tenant, slug: queue.slug))
        }
        return notes
    }

    private static func living(_ tenants: [Record], _ queues: [Record]) -> Set<Identifier> {
        let deletedTenants = Set(tenants.filter(\.isDeleted).map(\.id))
        let living = queues.filter { queue in !queue.isDeleted && !(queue.tenant.map(deletedTenants.contains) ?? false) }
        return Set(tenants.filter { !$0.isDeleted }.map(\.id) + living.map(\.id))
    }

    // MARK: Records

    private func records(in index: String, _ key: (Identifier) -> String) async throws(RedisError) -> [Record] {
        let members = try await redis.send(RedisCommand("ZRANGE", .string(index), 0, -1))
        let ids = (members.array ?? []).compactMap { $0.string.flatMap(Identifier.init(compact:)) }
        var records: [Record] = []
        for start in stride(from: 0, to: ids.count, by: Self.batch) {
            let part = ids[start..<min(ids.count, start + Self.batch)]
            let replies = try await redis.pipeline(part.map { RedisCommand("HMGET", .string(key($0)), "tenant", "slug", "deleted") })
            for (id, reply) in zip(part, replies) {
                let fields = (try reply.get().array ?? []).map(\.string)
                guard fields.count == 3, let slug = fields[1] else { continue }
                records.append(
                    Record(id: id, tenant: fields[0].flatMap(Identifier.init(compact:)), slug: slug, isDeleted: fields[2] == "1"))
            }
        }
        return records
    }

    private func remove(_ note: Note) async throws(RedisError) {
        switch note {
        case .queue(let id, let tenant, let slug):
            let keys = QueueKeys(id)
            _ = try await redis.send(
                RedisCommand("UNLINK", arguments: (keys.contents + [keys.incidents, keys.settings]).map { .string($0) }))
            try await unpublish(id, slug: slug, slugs: CatalogueKeys.slugs(of: tenant), index: CatalogueKeys.queues(of: tenant))
            _ = try await redis.send(RedisCommand("ZREM", .string(CatalogueKeys.queues), .string(id.compact)))
        case .tenant(let id, let slug):
            for key in [CatalogueKeys.audit(of: id), CatalogueKeys.queues(of: id), CatalogueKeys.slugs(of: id), CatalogueKeys.tenant(id)] {
                _ = try await redis.send(RedisCommand("UNLINK", .string(key)))
            }
            try await unpublish(id, slug: slug, slugs: CatalogueKeys.slugs, index: CatalogueKeys.tenants)
        }
        try await forget(note)
    }

    private func markDeleted(_ queue: Identifier) async throws(RedisError) {
        _ = try await redis.evaluate(
            Scripts.change, keys: [QueueKeys(queue).settings], arguments: ["deleted", "1", "active", "0"])
    }

    private func unpublish(_ id: Identifier, slug: String, slugs: String, index: String) async throws(RedisError) {
        _ = try await redis.evaluate(
            Scripts.unpublish, keys: [slugs, index], arguments: [.string(slug), .string(id.compact)])
    }

    // MARK: Notes

    private func notes() async throws(RedisError) -> [Note: Int64] {
        let reply = try await redis.send(RedisCommand("ZRANGE", .string(CatalogueKeys.deleted), 0, -1, "WITHSCORES"))
        let values = (reply.array ?? []).map { $0.string ?? "" }
        var notes: [Note: Int64] = [:]
        for index in stride(from: 0, to: values.count - 1, by: 2) {
            if let note = Note(text: values[index]) { notes[note] = Int64(values[index + 1]) ?? 0 }
        }
        return notes
    }

    private func write(_ note: Note, at seconds: Int64) async throws(RedisError) {
        _ = try await redis.send(RedisCommand("ZADD", .string(CatalogueKeys.deleted), "NX", .integer(seconds), .string(note.text)))
    }

    private func forget(_ note: Note) async throws(RedisError) {
        _ = try await redis.send(RedisCommand("ZREM", .string(CatalogueKeys.deleted), .string(note.text)))
    }
}

extension Purge.Note {
    fileprivate var id: Identifier {
        switch self {
        case .tenant(let id, _), .queue(let id, _, _): id
        }
    }

    fileprivate var rank: Int {
        switch self {
        case .queue: 0
        case .tenant: 1
        }
    }

    /// As it stands in Redis. A slug holds no blank.
    fileprivate var text: String {
        switch self {
        case .tenant(let id, let slug): "tenant \(id.compact) \(slug)"
        case .queue(let id, let tenant, let slug): "queue \(id.compact) \(tenant.compact) \(slug)"
        }
    }

    fileprivate init?(text: String) {
        let words = text.split(separator: " ").map(String.init)
        switch (words.first, words.count) {
        case ("tenant", 3):
            guard let id = Identifier(compact: words[1]) else { return nil }
            self = .tenant(id, slug: words[2])
        case ("queue", 4):
            guard let id = Identifier(compact: words[1]), let tenant = Identifier(compact: words[2]) else { return nil }
            self = .queue(id, tenant: tenant, slug: words[3])
        default: return nil
        }
    }
}
