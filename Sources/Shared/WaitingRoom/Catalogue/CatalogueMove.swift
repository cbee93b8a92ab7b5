package import Redis

/// Brings to its place what earlier versions kept under the catalogue's one tag: accounts, the names and lists of each tenant's queues, and
/// the audit logs.
///
/// It adds to what is there and removes the old last, so any number of gateways may do it, and one that dies in between is finished by the
/// next. A gateway of an earlier version beside it goes on by its memory, and what it writes to the old keys is brought along by the next
/// start.
package struct CatalogueMove: Sendable {
    private static let tag = "{catalogue}:"
    private static let batch = 500

    private let redis: RedisClient

    package init(redis: RedisClient) { self.redis = redis }

    /// Does nothing where nothing old is left.
    package func run() async throws(RedisError) {
        try await moveAccounts()
        try await moveNamesOfQueues()
        for tenant in try await list(CatalogueKeys.tenants).compactMap({ Identifier(compact: $0.id) }) {
            // The list is made again from the names.
            try await remove(Self.tag + "queues:" + tenant.compact)
            try await rename(Self.tag + "audit:" + tenant.compact, to: CatalogueKeys.audit(of: tenant))
        }
        try await rename(Self.tag + "audit", to: CatalogueKeys.audit)
    }

    private func moveAccounts() async throws(RedisError) {
        let (emails, accounts) = (Self.tag + "emails", Self.tag + "accounts")
        let names = try await redis.send(RedisCommand("HGETALL", .string(emails))).fields ?? [:]
        guard !names.isEmpty else { return }
        try await send(names.map { RedisCommand("HSETNX", .string(CatalogueKeys.emails), .string($0), .string($1)) })
        try await send(
            try await list(accounts).map { RedisCommand("ZADD", .string(CatalogueKeys.accounts), "NX", .string($0.score), .string($0.id)) })
        try await remove(accounts)
        try await remove(emails)
    }

    /// A queue was named `<tenant id>/<slug>` among the tenants' slugs.
    private func moveNamesOfQueues() async throws(RedisError) {
        let names = (try await redis.send(RedisCommand("HGETALL", .string(CatalogueKeys.slugs))).fields ?? [:]).filter {
            $0.key.contains("/")
        }
        guard !names.isEmpty else { return }
        let created = Dictionary(try await list(CatalogueKeys.queues).map { ($0.id, $0.score) }) { $1 }
        for (name, id) in names {
            let place = CatalogueRecord.Kind.queue.place(of: name)
            guard let tenant = place.tenant else { continue }
            try await send([
                RedisCommand("HSETNX", .string(place.slugs), .string(place.slug), .string(id)),
                RedisCommand("ZADD", .string(CatalogueKeys.queues(of: tenant)), "NX", .string(created[id] ?? "0"), .string(id)),
            ])
        }
        try await send(names.keys.map { RedisCommand("HDEL", .string(CatalogueKeys.slugs), .string($0)) })
    }

    private func rename(_ old: String, to new: String) async throws(RedisError) {
        guard try await redis.send(RedisCommand("EXISTS", .string(old))).integer == 1 else { return }
        // Of lines that were written to both, the old ones go.
        if try await redis.send(RedisCommand("RENAMENX", .string(old), .string(new))).integer == 0 { try await remove(old) }
    }

    private func remove(_ key: String) async throws(RedisError) { _ = try await redis.send(RedisCommand("UNLINK", .string(key))) }

    private func send(_ commands: [RedisCommand]) async throws(RedisError) {
        for start in stride(from: 0, to: commands.count, by: Self.batch) {
            for result in try await redis.pipeline(Array(commands[start..<min(start + Self.batch, commands.count)])) {
                _ = try result.get()
            }
        }
    }

    private func list(_ index: String) async throws(RedisError) -> [(id: String, score: String)] {
        let values = (try await redis.send(RedisCommand("ZRANGE", .string(index), 0, -1, "WITHSCORES")).array ?? []).map { $0.string ?? "" }
        return stride(from: 0, to: values.count - 1, by: 2).map { (values[$0], values[$0 + 1]) }
    }
}
