package import Logging
package import Redis

extension SecretKey {
    /// The secret key of the service: the configured one, or, when none is (in development only), one that is made once and kept in Redis.
    /// Waits while Redis is away; the first program of all to come makes it.
    package static func resolve(configured: SecretKey?, redis: RedisClient, logger: Logger) async throws -> SecretKey {
        if let configured { return configured }
        while true {
            if let secret = try await kept(in: redis) { return secret }
            logger.debug("Waiting for Redis, which keeps the secret key")
            try await Task.sleep(for: .milliseconds(250))
        }
    }

    /// The key that Redis keeps, made now when there was none; `nil` while Redis is away.
    private static func kept(in redis: RedisClient) async throws -> SecretKey? {
        let key = RedisArgument.string(CatalogueKeys.secret)
        do {
            _ = try await redis.send(RedisCommand("SET", key, .string(generateText()), "NX"))
            return try await redis.send(RedisCommand("GET", key)).string.flatMap { SecretKey($0) }
        } catch {
            if error.isUnavailable { return nil }
            throw error
        }
    }
}
