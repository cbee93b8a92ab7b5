package import Logging
package import Redis
import ServiceLifecycle

/// Looks once, when Redis is there for the first time, whether every server of it is what the promises need, and logs a line for each thing
/// that is not.
package struct RedisCheck: Service {
    private static let pause = Duration.milliseconds(100)

    private let requirements: RedisRequirements
    private let redis: RedisClient
    private let logger: Logger

    package init(_ configuration: ServiceConfiguration, redis: RedisClient, logger: Logger) {
        let failsOver = if case .single = configuration.redis.topology { false } else { true }
        self.init(RedisRequirements(durability: configuration.durability, failsOver: failsOver), redis: redis, logger: logger)
    }

    init(_ requirements: RedisRequirements, redis: RedisClient, logger: Logger) {
        self.requirements = requirements
        self.redis = redis
        self.logger = logger
    }

    /// Returns when it has looked, or on shutdown.
    /// - Throws: ``ConfigurationError`` when a server is too old.
    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !redis.isAvailable {
                if Task.isCancelled { return }
                try? await Task.sleep(for: Self.pause)
            }
            try await look()
        }
    }

    private func look() async throws {
        let settings = await redis.sendToEach(RedisCommand("CONFIG", "GET", "appendfsync", "min-replicas-to-write"))
        for (server, result) in await redis.sendToEach(RedisCommand("INFO")) {
            guard case .success(let reply) = result, let text = reply.string else {
                logger.debug("Redis does not say how it is set up", metadata: ["server": "\(server)"])
                continue
            }
            let info = RedisInfo(text)
            if let refusal = requirements.refusal(info) {
                throw ConfigurationError("REDIS_URL", description: "names a Redis that cannot be used (\(server)): \(refusal)")
            }
            let own = settings.first { $0.server == server }.flatMap { try? $0.result.get().fields }
            for problem in requirements.problems(info, settings: own ?? [:]) {
                logger.error("Redis is not set up as it must be: \(problem)", metadata: ["server": "\(server)"])
            }
        }
    }
}
