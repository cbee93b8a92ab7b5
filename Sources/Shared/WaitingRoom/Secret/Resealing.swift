package import Redis

/// Seals what was sealed under an older `SECRET_KEY` under the current one, so that the older can be taken away: the tenants' secret keys.
package struct Resealing: Sendable {
    /// What one run found.
    package struct Outcome: Sendable, Equatable {
        /// Secrets that are sealed under the current key since this run.
        package var resealed = 0
        /// Secrets that no key of `SECRET_KEY` opens: their tenants need new ones.
        package var lost = 0
    }

    private static let fields = ["secret", "old_secret"]

    private let redis: RedisClient
    private let secret: SecretKey

    package init(redis: RedisClient, secret: SecretKey) {
        self.redis = redis
        self.secret = secret
    }

    /// Looks at all tenants. Any number of callers may.
    package func run() async throws -> Outcome {
        var outcome = Outcome()
        let members = try await redis.send(RedisCommand("ZRANGE", .string(CatalogueKeys.tenants), 0, -1))
        for id in (members.array ?? []).compactMap({ $0.string.flatMap(Identifier.init(compact:)) }) {
            let key = CatalogueKeys.tenant(id)
            let reply = try await redis.send(RedisCommand("HMGET", arguments: [.string(key)] + Self.fields.map(RedisArgument.string)))
            for (field, value) in zip(Self.fields, reply.array ?? []) {
                guard let sealed = value.string else { continue }
                switch try secret.reseal(sealed) {
                case .current: break
                case .lost: outcome.lost += 1
                case .resealed(let text):
                    let arguments: [RedisArgument] = [.string(field), .string(sealed), .string(text)]
                    // 0 when new keys were given meanwhile; those are sealed anew.
                    outcome.resealed += Int(try await redis.evaluate(Scripts.reseal, keys: [key], arguments: arguments).integer ?? 0)
                }
            }
        }
        return outcome
    }
}
