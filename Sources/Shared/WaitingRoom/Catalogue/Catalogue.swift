import Redis

/// Reads and writes the records of tenants, queues and accounts.
///
/// A record is written first and published afterwards, in one step with its slug and its place in the indexes (`publish-3.lua`): a writer that
/// dies in between leaves a record that nobody can find.
struct Catalogue: Sendable {
    let redis: RedisClient

    func fields(of key: String) async throws(RedisError) -> [String: String]? {
        try await redis.send(RedisCommand("HGETALL", .string(key))).fields
    }

    /// The records of `keys` in one round trip; `nil` where there is none.
    func fields(of keys: [String]) async throws(RedisError) -> [[String: String]?] {
        guard !keys.isEmpty else { return [] }
        return try await redis.pipeline(keys.map { RedisCommand("HGETALL", .string($0)) }).map { result throws(RedisError) in
            try result.get().fields
        }
    }

    func write(_ fields: [(String, String)], to key: String) async throws(RedisError) {
        _ = try await redis.send(RedisCommand("HSET", arguments: [.string(key)] + Self.arguments(fields)))
    }

    /// Makes a written record visible; `false` when the slug is taken, and then the record is removed again.
    func publish(
        _ id: Identifier, slug: String, slugs: String = CatalogueKeys.slugs, index: String, alsoIn second: String? = nil, record: String
    ) async throws(RedisError) -> Bool {
        let reply = try await redis.evaluate(
            Scripts.publish, keys: [slugs, index, second ?? index], arguments: [.string(slug), .string(id.compact)])
        guard reply.integer == -1 else { return true }
        _ = try await redis.send(RedisCommand("DEL", .string(record)))
        return false
    }

    /// Deletes a record and makes it invisible. Repeating it finishes what was begun.
    /// - Returns: `false` when there was none.
    func delete(_ id: Identifier, slug: String, slugs: String, index: String, record: String) async throws(RedisError) -> Bool {
        let wasThere = try await change([("deleted", "1")], of: record)
        let reply = try await redis.evaluate(Scripts.unpublish, keys: [slugs, index], arguments: [.string(slug), .string(id.compact)])
        _ = try await redis.send(RedisCommand("DEL", .string(record)))
        return wasThere || reply.integer == 1
    }

    /// Changes fields of a record; `false` when there is none (any more).
    func change(_ fields: [(String, String)], of key: String) async throws(RedisError) -> Bool {
        try await redis.evaluate(Scripts.change, keys: [key], arguments: Self.arguments(fields)).integer == 1
    }

    /// Changes those of `fields` that differ from `before`; `false` when there is no record (any more).
    func change(_ fields: [(String, String)], from before: [(String, String)]?, of key: String) async throws(RedisError) -> Bool {
        guard let before else { return try await change(fields, of: key) }
        let known = Dictionary(before) { $1 }
        let changed = fields.filter { known[$0.0] != $0.1 }
        if !changed.isEmpty { return try await change(changed, of: key) }
        return try await self.fields(of: key).map { $0["deleted"] != "1" } ?? false
    }

    /// Ids of an index in the order of creation.
    func identifiers(in index: String) async throws(RedisError) -> [Identifier] {
        let reply = try await redis.send(RedisCommand("ZRANGE", .string(index), 0, -1))
        return (reply.array ?? []).compactMap { $0.string.flatMap(Identifier.init(compact:)) }
    }

    func identifier(ofSlug slug: String) async throws(RedisError) -> Identifier? {
        try await redis.send(RedisCommand("HGET", .string(CatalogueKeys.slugs), .string(slug))).string.flatMap(Identifier.init(compact:))
    }

    private static func arguments(_ fields: [(String, String)]) -> [RedisArgument] {
        fields.flatMap { [.string($0.0), .string($0.1)] }
    }
}
