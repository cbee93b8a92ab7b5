import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import TestSupport

/// Runs `body` while a website's server listens on a port of its own and answers every request by `answer`.
/// - Parameter body: is given the port.
func withWebsite<Result: Sendable>(
    answer: @Sendable @escaping (Request) async throws -> Response, _ body: @Sendable @escaping (Int) async throws -> Result
) async throws -> Result {
    var logger = Logger(label: "website")
    logger.logLevel = .critical
    let port = Locked<Int?>(nil)
    let server = Application(
        responder: CallbackResponder { (request, _: BasicRequestContext) in try await answer(request) },
        configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { port.set($0.localAddress?.port) }, logger: logger)
    let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        try await eventually("the website listens") { port.get() != nil }
        defer { tasks.cancelAll() }
        return try await body(port.get() ?? 0)
    }
}
