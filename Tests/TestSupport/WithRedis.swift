import Logging
import NIOPosix
package import Redis

/// Runs `body` with a private redis-server and a client connected to it; both end with it. The client is more patient than the
/// product's, so that a busy machine fails no test; those that stop the server say how patient it is to be.
package func withRedis<Result: Sendable>(
    arguments: [String] = [], patience: Duration = .seconds(20),
    _ body: @Sendable @escaping (RedisServer, RedisClient) async throws -> Result
) async throws -> Result {
    let server = try await RedisServer(arguments: arguments)
    defer { server.stop() }
    return try await withClient(of: server, patience: patience) { client in try await body(server, client) }
}

/// Runs `body` with one more client of `server`.
package func withClient<Result: Sendable>(
    of server: RedisServer, patience: Duration = .seconds(20), _ body: @Sendable @escaping (RedisClient) async throws -> Result
) async throws -> Result {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    var configuration = try RedisConfiguration(url: server.url)
    configuration.commandTimeout = patience
    configuration.connectTimeout = patience
    let client = RedisClient(configuration, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger)
    let running = Task { try await client.run() }
    defer { running.cancel() }
    try await eventually("the client is connected") { client.isAvailable }
    return try await body(client)
}
