package import NIOCore
package import Redis

/// Counts attempts against a limit in a sliding minute, exactly over all gateways (`limit-1.lua`).
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
    ///   - cost: how many attempts it is; of a refused one all but the last are counted, which were allowed before they were told of.
    ///     0 only tells whether one more would be allowed.
    package func attempt(_ name: String, perMinute: Int, cost: Int = 1) async throws(RedisError) -> Verdict {
        Self.verdict(
            try await redis.evaluate(Scripts.limit, keys: [CatalogueKeys.limit(name)], arguments: Self.arguments(perMinute, cost)))
    }

    /// ``attempt(_:perMinute:cost:)`` for a caller on an event loop of the Redis client.
    package func attempt(_ name: String, perMinute: Int, cost: Int, on eventLoop: any EventLoop) -> EventLoopFuture<Verdict> {
        redis.evaluate(Scripts.limit, keys: [CatalogueKeys.limit(name)], arguments: Self.arguments(perMinute, cost), on: eventLoop)
            .map(Self.verdict)
    }

    private static func arguments(_ perMinute: Int, _ cost: Int) -> [RedisArgument] { [.integer(Int64(perMinute)), .integer(Int64(cost))] }

    private static func verdict(_ reply: RedisValue) -> Verdict {
        let values = (reply.array ?? []).map { Int($0.integer ?? 0) }
        guard values.count == 3, values[0] == 1 else { return .refused(seconds: values.count == 3 ? values[2] : 60) }
        return .allowed(left: values[1])
    }
}
