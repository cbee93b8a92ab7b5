import Logging
import NIOPosix
import Observability
import Redis
import ServiceLifecycle
import UnixSignals
import WaitingRoom

/// Puts the releaser together. Services stop in the reverse of this order: the worker first, Redis last.
func buildReleaser(_ configuration: ServiceConfiguration) async throws -> ServiceGroup {
    let logger = startLogging("releaser", level: configuration.logLevel, format: configuration.logFormat)
    configuration.tellForeignVariables(to: logger)
    let metrics = ReleaserMetrics(registry: PrometheusRegistry())
    let redis = RedisClient(
        configuration.redis, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger,
        observer: RedisMetrics(factory: metrics.registry))
    let worker = Worker(configuration: configuration, redis: redis, metrics: metrics, logger: logger)
    let ops = opsServer(redis: redis, metrics: metrics, host: configuration.host, port: configuration.metricsPort ?? 9091, logger: logger)
    return ServiceGroup(
        configuration: .init(
            services: [
                .init(service: redis), .init(service: ops),
                .init(service: RedisCheck(configuration, redis: redis, logger: logger), successTerminationBehavior: .ignore),
                .init(service: worker, successTerminationBehavior: .gracefullyShutdownGroup),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
}
