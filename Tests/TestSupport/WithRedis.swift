import Logging
import NIOPosix
package import Redis

/// Runs `body` with a private redis-server and a client connected to it; both end with it.
package func withRedis<Result: Sendable>(
    arguments: [String] = [], _ body: @Sendable @escaping (RedisServer, RedisClient) async throws -> Result
) async throws -> Result {
    let server = try await RedisServer(arguments: arguments)
    defer { server.stop() }
    return try await withClient(of: server) { client in try await body(server, client) }
}

/// Runs `body` with one more client of `server`.
package func withClient<Result: Sendable>(
    of server: RedisServer, _ body: @Sendable @escaping (RedisClient) async throws -> Result
) async throws -> Result {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let client = RedisClient(try RedisConfiguration(url: server.url), eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger)
    let running = Task { try await client.run() }
    defer { running.cancel() }
    return try await body(client)
}
