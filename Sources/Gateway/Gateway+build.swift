import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import Observability
import Redis
import ServiceLifecycle
import UnixSignals
import WaitingRoom

/// Puts the gateway together: Redis client, routes, server, and the order in which they stop.
func buildGateway(_ configuration: ServiceConfiguration) async throws -> ServiceGroup {
    let logger = startLogging("gateway", level: configuration.logLevel, format: configuration.logFormat)
    configuration.tellForeignVariables(to: logger)
    let group = MultiThreadedEventLoopGroup.singleton
    let metrics = GatewayMetrics(registry: PrometheusRegistry())
    let redis = RedisClient(configuration.redis, eventLoopGroup: group, logger: logger, observer: metrics.redis)
    let program = GatewayProgram(configuration: configuration, redis: redis, metrics: metrics, eventLoopGroup: group, logger: logger)
    return ServiceGroup(
        configuration: .init(
            services: [
                .init(service: redis),
                .init(service: RedisCheck(configuration, redis: redis, logger: logger), successTerminationBehavior: .ignore),
                .init(service: program, successTerminationBehavior: .gracefullyShutdownGroup),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
}

/// The routes of a room, in one table.
func gatewayRoutes(_ room: Room) -> RouteTable {
    var routes = JoinRoutes(room: room).routes + StatusRoutes(room: room).routes + StreamRoutes(room: room).routes
    routes +=
        ManagementRoutes.all(room: room) + WalkInRoutes.all(room: room) + ScriptRoutes(room: room).routes + WaitRoutes(room: room).routes
        + PassRoutes(room: room).routes + GateRoutes(room: room).routes
    if room.configuration.metricsPort == nil { routes += MetricsRoutes(room: room).routes }
    let table = RouteTable(routes: routes)
    return RouteTable(routes: routes + OpenAPIRoutes(room: room, table: table).routes)
}

/// The HTTP application of a room.
func gatewayApplication(
    _ room: Room, listener: Listener = Listener(), eventLoopGroup: any EventLoopGroup, logger: Logger
) -> some ApplicationProtocol {
    let table = gatewayRoutes(room)
    let router = Router(context: GatewayContext.self)
    router.add(
        middleware: EnvelopeMiddleware(
            origins: AllowedOrigins(room.configuration.allowedOrigins), readiness: room.readiness, metrics: room.metrics))
    router.add(middleware: ErrorMiddleware(table: table))
    router.add(middleware: CredentialMiddleware(room: room))
    table.register(on: router)
    return Application(
        responder: router.buildResponder(),
        server: HTTPServerBuilder { responder in GatewayChannel(responder: responder, room: room) },
        configuration: ApplicationConfiguration(
            address: .hostname(room.configuration.host, port: room.configuration.port), serverName: nil, backlog: 1024),
        onServerRunning: { listener.opened($0) }, eventLoopGroupProvider: .shared(eventLoopGroup), logger: logger)
}
