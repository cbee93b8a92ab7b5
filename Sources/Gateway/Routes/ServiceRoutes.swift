import Hummingbird
import Redis
import WaitingRoom

/// The service about itself.
struct ServiceRoutes {
    /// Seconds without a sign of life after which a worker does not count.
    private static let workerSeconds = 10

    let room: Room
    private let started = ContinuousClock.now

    init(room: Room) { self.room = room }

    var routes: [Route] {
        [
            Route(
                .get, "/", access: .anyone,
                Operation(tag: "Service", summary: "Where to go from here", answer: ["type": "object"]), handler: root),
            Route(
                .get, "/info", access: .anyone, Operation(tag: "Service", summary: "Version and uptime", answer: ["type": "object"]),
                handler: info),
        ] + healthRoutes
    }

    var healthRoutes: [Route] {
        [
            Route(
                .get, "/health", access: .anyone,
                Operation(
                    tag: "Service", summary: "How the service and what it rests on are; `degraded` when no worker is alive",
                    answer: Operation.schema("Health"), failures: [503]),
                handler: health),
            Route(
                .get, "/health/live", access: .anyone, Operation(tag: "Service", summary: "The process runs", answer: ["type": "object"]),
                handler: live),
            Route(
                .get, "/health/ready", access: .anyone,
                Operation(tag: "Service", summary: "Whether to send requests here", answer: ["type": "object"], failures: [503]),
                handler: ready),
        ]
    }

    @Sendable func root(_ request: Request, context: GatewayContext) async throws -> Response {
        .json([
            "name": "Anteroom", "version": .string(anteroomVersion),
            "links": ["docs": "/docs", "openapi": "/openapi.json", "info": "/info", "health": "/health"],
        ])
    }

    @Sendable func info(_ request: Request, context: GatewayContext) async throws -> Response {
        .json([
            "name": "Anteroom", "version": .string(anteroomVersion),
            "uptime_seconds": .integer(started.duration(to: .now).components.seconds),
            "environment": room.configuration.isProduction ? "production" : "development",
        ])
    }

    @Sendable func health(_ request: Request, context: GatewayContext) async throws -> Response {
        let workers = try? await QueueLocks.alive(redis: room.redis, seconds: Self.workerSeconds)
        let (status, worker) =
            switch workers {
            case nil: ("unhealthy", "unknown")
            case 0: ("degraded", "unhealthy")
            default: ("healthy", "healthy")
            }
        return .json(
            [
                "status": .string(status), "timestamp": .string(Timestamp.now().rfc3339),
                "services": ["api": "healthy", "redis": workers == nil ? "unhealthy" : "healthy", "worker": .string(worker)],
            ], status: workers == nil ? .serviceUnavailable : .ok, headers: [.cacheControl: "no-store"])
    }

    @Sendable func live(_ request: Request, context: GatewayContext) async throws -> Response {
        .json(["status": "alive"], headers: [.cacheControl: "no-store"])
    }

    @Sendable func ready(_ request: Request, context: GatewayContext) async throws -> Response {
        let status =
            if room.readiness.isDraining { "draining" } else if room.readiness.isStarting { "starting" } else if await isRedisHealthy() {
                "ready"
            } else { "unavailable" }
        return .json(
            ["status": .string(status)], status: status == "ready" ? .ok : .serviceUnavailable, headers: [.cacheControl: "no-store"])
    }

    /// Whether Redis answers, within the client's deadline.
    private func isRedisHealthy() async -> Bool {
        do {
            return try await room.redis.send(RedisCommand("PING")).string == "PONG"
        } catch {
            return false
        }
    }
}
