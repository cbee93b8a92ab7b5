package import Redis

/// Counts attempts against a limit per minute, exactly over all gateways (`limit-1.lua`).
package struct AttemptLimit: Sendable {
    package enum Verdict: Sendable, Equatable {
        case allowed(left: Int)
        /// Refused; `seconds` until an attempt is allowed again.
        case refused(seconds: Int)
    }

    private let redis: RedisClient

    package init(redis: RedisClient) { self.redis = redis }

    /// Counts one attempt.
    /// - Parameters:
    ///   - name: whose attempts are counted, such as `sign-in:<address>`.
    ///   - perMinute: the most allowed in a sliding minute.
    package func attempt(_ name: String, perMinute: Int) async throws(RedisError) -> Verdict {
        try await charge(name, perMinute: perMinute, cost: 1)
    }

    /// Whether one more attempt would be allowed, without counting it.
    package func look(_ name: String, perMinute: Int) async throws(RedisError) -> Verdict {
        try await charge(name, perMinute: perMinute, cost: 0)
    }

    private func charge(_ name: String, perMinute: Int, cost: Int64) async throws(RedisError) -> Verdict {
        let reply = try await redis.evaluate(
            Scripts.limit, keys: [CatalogueKeys.limit(name)], arguments: [.integer(Int64(perMinute)), .integer(cost)])
        let values = (reply.array ?? []).map { Int($0.integer ?? 0) }
        guard values.count == 3, values[0] == 1 else { return .refused(seconds: values.count == 3 ? values[2] : 60) }
        return .allowed(left: values[1])
    }
}
