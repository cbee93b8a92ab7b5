import Logging
import NIOCore
import NIOPosix
import Redis
import TestSupport

/// Runs `body` with a private redis-server.
func withServer(_ arguments: [String] = [], _ body: (RedisServer) async throws -> Void) async throws {
    let server = try await RedisServer(arguments: arguments)
    defer { server.stop() }
    try await body(server)
}

/// Runs `body` with a client of `url` that is ready, unless `waits` is `false`.
func withClient(
    _ url: String, on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, waits: Bool = true, logger: Logger = quietLogger,
    observer: (any RedisObserver)? = nil, configure: (inout RedisConfiguration) -> Void = { _ in },
    _ body: (RedisClient) async throws -> Void
) async throws {
    var configuration = try RedisConfiguration(url: url)
    configure(&configuration)
    let client = RedisClient(configuration, eventLoopGroup: group, logger: logger, observer: observer)
    let running = Task { try await client.run() }
    do {
        if waits { try await eventually("the client is ready") { client.isAvailable } }
        try await body(client)
    } catch {
        running.cancel()
        throw error
    }
    running.cancel()
    try await running.value
}

extension RedisClient {
    /// The reply to one command.
    func reply(_ name: String, _ arguments: RedisArgument...) async throws -> RedisValue {
        try await send(RedisCommand(name, arguments: arguments))
    }
}

let quietLogger: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}()
