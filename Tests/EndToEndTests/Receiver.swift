import HTTPTypes
import Hummingbird
import Logging
import ServiceLifecycle
import TestSupport
import WaitingRoom

/// A website's end of the callbacks: a real HTTP server that keeps what it got.
final class Receiver: Sendable {
    struct Call: Sendable {
        let id: String
        let timestamp: String
        let signature: String
        let text: String
        let body: JSON
    }

    let port: Int
    private let calls = Locked<[Call]>([])
    private let answer: @Sendable (Int) async -> HTTPResponse.Status

    /// - Parameter answer: what to answer to the call of a number, from 1.
    init(port: Int = freePort(), answer: @Sendable @escaping (Int) async -> HTTPResponse.Status = { _ in .ok }) {
        self.port = port
        self.answer = answer
    }

    var url: String { "http://127.0.0.1:\(port)/callback" }

    var all: [Call] { calls.get() }

    /// Runs `body` while the receiver listens.
    func run<Result: Sendable>(_ body: @Sendable @escaping () async throws -> Result) async throws -> Result {
        let router = Router()
        router.post("/callback") { request, _ in
            let bytes = try await request.body.collect(upTo: 65_536)
            let text = String(buffer: bytes)
            func header(_ name: String) -> String { HTTPField.Name(name).flatMap { request.headers[$0] } ?? "" }
            let call = Call(
                id: header("webhook-id"), timestamp: header("webhook-timestamp"), signature: header("webhook-signature"), text: text,
                body: (try? JSONScanner.scan(Array(text.utf8))) ?? .null)
            let number = self.calls.update { calls in
                calls.append(call)
                return calls.count
            }
            return Response(status: await self.answer(number))
        }
        var logger = Logger(label: "receiver")
        logger.logLevel = .critical
        let started = Locked(false)
        let server = Application(
            router: router, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { _ in started.set(true) }, logger: logger)
        let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await eventually("the receiver listens") { started.get() }
            defer { tasks.cancelAll() }
            return try await body()
        }
    }
}
