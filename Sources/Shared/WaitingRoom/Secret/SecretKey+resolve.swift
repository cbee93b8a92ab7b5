package import Logging
package import Redis

extension SecretKey {
    /// The secret key of the service: the configured one, or, when none is (in development only), one that is made once and kept in Redis.
    /// Waits while Redis is away; the first program of all to come makes it.
    package static func resolve(configured: SecretKey?, redis: RedisClient, logger: Logger) async throws -> SecretKey {
        if let configured { return configured }
        while true {
            do {
                if let secret = try await kept(in: redis) { return secret }
            } catch {
                logger.debug("Waiting for Redis, which keeps the secret key", metadata: ["error": "\(error)"])
            }
            try await Task.sleep(for: .milliseconds(250))
        }
    }

    /// Has Redis keep this key, unless it keeps one.
    func keep(in redis: RedisClient) async throws(RedisError) {
        _ = try await redis.send(RedisCommand("SET", .string(CatalogueKeys.secret), .string(text), "NX"))
    }

    /// The key that Redis keeps, made now when there was none.
    private static func kept(in redis: RedisClient) async throws(RedisError) -> SecretKey? {
        let key = RedisArgument.string(CatalogueKeys.secret)
        if let text = try await redis.send(RedisCommand("GET", key)).string { return SecretKey(text) }
        _ = try await redis.send(RedisCommand("SET", key, .string(generateText()), "NX"))
        return try await redis.send(RedisCommand("GET", key)).string.flatMap { SecretKey($0) }
    }
}
