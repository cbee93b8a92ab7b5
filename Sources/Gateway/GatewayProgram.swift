import Hummingbird
import Logging
import NIOCore
import Redis
import ServiceLifecycle
import WaitingRoom

/// What runs once the Redis client does: makes the room, serves it, and drains it at the end.
///
/// On shutdown readiness turns false first, and requests go on being answered (with `Connection: close`) for `DRAIN_SECONDS`: a proxy needs
/// that time to stop sending. Then no connection begins any more (``Listener``), and only when all that had begun are accepted the socket
/// closes.
struct GatewayProgram: Service {
    let configuration: ServiceConfiguration
    let redis: RedisClient
    let metrics: GatewayMetrics
    let eventLoopGroup: any EventLoopGroup
    let logger: Logger

    func run() async throws {
        // Without one it was shut down before Redis could tell it.
        guard
            let secret = try? await cancelWhenGracefulShutdown({
                try await SecretKey.resolve(configured: configuration.secretKey, redis: redis, logger: logger)
            })
        else { return }
        let room = try await Room(
            configuration: configuration, redis: redis, secret: secret, metrics: metrics, readiness: Readiness(isStarting: true),
            logger: logger)

        let listener = Listener()
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = [
            .init(service: room.views),
            .init(service: room.signs),
            .init(service: room.keeper),
            .init(service: room.leases),
            .init(service: room.streams),
            .init(service: room.revocations),
            .init(service: gatewayApplication(room, listener: listener, eventLoopGroup: eventLoopGroup, logger: logger)),
        ]
        if let port = configuration.metricsPort {
            services.append(.init(service: opsServer(room, port: port, eventLoopGroup: eventLoopGroup, logger: logger)))
        }
        let server = ServiceGroup(configuration: .init(services: services, logger: logger))
        PollPace.limit(rebuildSeconds: room.configuration.rebuildSeconds)
        // Detached: a group within the program's group would hear of the shutdown at once.
        let serving = Task.detached { try await server.run() }
        try await withTaskCancellationHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await serving.value }
                group.addTask { try await start(room) }
                group.addTask { await cancelWhenGracefulShutdown { await PollPace.watch(eventLoopGroup) } }
                group.addTask { try await drain(room, listener, server) }
                // Not `waitForAll`, which would wait for a shutdown after one of them has failed.
                for try await _ in group {}
            }
        } onCancel: {
            serving.cancel()
        }
    }

    /// While Redis is away at the start, requests are answered with the truth all the same.
    private func start(_ room: Room) async throws {
        do {
            try await cancelWhenGracefulShutdown { try await FirstAdministrator(room: room, logger: logger).ensure() }
            room.readiness.start()
        } catch is CancellationError {}
    }

    private func drain(_ room: Room, _ listener: Listener, _ server: ServiceGroup) async throws {
        try await gracefulShutdown()
        room.readiness.drain()
        // Not in the last moment: who comes back needs somewhere to go.
        room.streams.leave(within: .seconds(configuration.drainSeconds) * 0.7)
        logger.info("Draining", metadata: ["seconds": "\(configuration.drainSeconds)"])
        try await Task.sleep(for: .seconds(configuration.drainSeconds))
        do {
            try await listener.letNobodyBegin()
        } catch {
            logger.debug("The listening socket closes abruptly", metadata: ["error": "\(error)"])
        }
        await server.triggerGracefulShutdown()
    }
}
