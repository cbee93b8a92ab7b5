import Hummingbird
import Logging
import NIOCore
import WaitingRoom

/// `/metrics` and `/health*` on a port of their own.
func opsServer(_ room: Room, port: Int, eventLoopGroup: any EventLoopGroup, logger: Logger) -> some ApplicationProtocol {
    let table = RouteTable(routes: MetricsRoutes(room: room).routes + ServiceRoutes(room: room).healthRoutes)
    let router = Router(context: GatewayContext.self)
    router.add(middleware: ErrorMiddleware(table: table))
    table.register(on: router)
    return Application(
        responder: router.buildResponder(),
        configuration: ApplicationConfiguration(address: .hostname(room.configuration.host, port: port), serverName: nil),
        eventLoopGroupProvider: .shared(eventLoopGroup), logger: logger)
}
