import Configuration
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import NIOPosix
import Observability
import Redis
import TestSupport
import Testing
import WaitingRoom

@testable import Gateway

/// Runs `body` against a gateway whose configuration differs from the defaults by `variables`, and that waits so long for Redis.
func withGateway(
    _ variables: [String: String] = [:], patience: Duration = .seconds(20), _ body: @Sendable @escaping (Site) async throws -> Void
) async throws {
    try await withRedis(patience: patience) { server, redis in
        var environment = [
            "REDIS_URL": server.url, "ADMIN_EMAIL": Site.email, "ADMIN_PASSWORD": Site.password,
            "SECRET_KEY": String(repeating: "k", count: 32), "PUBLIC_URL": "http://wait.example",
        ]
        environment.merge(variables) { $1 }
        let reader = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: environment))
        let configuration = try ServiceConfiguration(reader)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let room = try await Room(
            configuration: configuration, redis: redis, secret: try #require(configuration.secretKey),
            metrics: GatewayMetrics(registry: PrometheusRegistry()), passwordHash: PasswordHash(logN: 4), logger: logger)
        try await FirstAdministrator(room: room, logger: logger).ensure()
        let signs = Task { try await room.signs.run() }
        defer { signs.cancel() }
        let streams = Task { try await room.streams.run() }
        defer { streams.cancel() }
        let application = gatewayApplication(room, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger)
        try await application.test(.live) { client in
            try await body(Site(client: client, room: room, redis: server))
        }
    }
}
