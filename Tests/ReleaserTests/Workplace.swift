import Configuration
import Hummingbird
import Logging
import Observability
import Redis
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import WaitingRoom

@testable import Releaser

/// A private Redis with one tenant, workers of the releaser against it, and short words for what tests do with them.
struct Workplace: Sendable {
    let server: RedisServer
    let redis: RedisClient
    let tenants: Tenants
    let queues: Queues
    let tenant: Tenant

    private static let secretText = String(repeating: "k", count: 32)

    /// Runs `body` with a tenant whose callbacks go to `callbackURL`.
    static func with(
        callbackURL: String? = nil, _ body: @Sendable @escaping (Workplace) async throws -> Void
    ) async throws {
        try await withRedis { server, redis in
            let secret = try #require(SecretKey(secretText))
            let tenants = Tenants(redis: redis, secret: secret)
            let tenant = try await tenants.create(.init(name: "Shop", domain: "shop.example", callbackURL: callbackURL))
            try await body(
                Workplace(
                    server: server, redis: redis, tenants: tenants, queues: Queues(redis: redis, secret: secret),
                    tenant: try #require(tenant).tenant))
        }
    }

    func queue(rate: Double = 6000, of tenant: Tenant? = nil) async throws -> Queue {
        try #require(try await queues.create(tenant: (tenant ?? self.tenant).id, name: "Drop") { $0.ratePerMinute = rate })
    }

    @discardableResult
    func join(_ queue: Queue, people: Int) async throws -> [Entry] {
        var entries: [Entry] = []
        for index in 0..<people {
            entries.append(try #require(try await queues.join(.init(queue: queue, visitor: "v\(index)"))).entry)
        }
        return entries
    }

    func released(_ queue: Queue) async throws -> [Entry] { try await queues.list(queue.id, states: [.released], skip: 0, limit: 1000) }

    func deadLetters(_ queue: Queue) async throws -> [Callbacks.DeadLetter] {
        try await Callbacks(redis: redis).deadLetters(of: [queue.id], limit: 10)
    }

    /// Runs `body` while one more worker works; then shuts it down as SIGTERM would, and waits until it has ended.
    func withWorker(
        _ variables: [String: String] = [:], alertPace: AlertPace? = nil, _ body: @Sendable (Worker) async throws -> Void
    ) async throws {
        var environment = ["REDIS_URL": server.url, "SECRET_KEY": Self.secretText, "LOCK_TTL_MS": "400", "RELEASE_TICK_MS": "20"]
        environment.merge(variables) { $1 }
        let reader = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: environment))
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let worker = Worker(
            configuration: try ServiceConfiguration(reader), redis: redis, metrics: ReleaserMetrics(registry: PrometheusRegistry()),
            logger: logger, alertPace: alertPace)
        let group = ServiceGroup(configuration: .init(services: [worker], logger: logger))
        let running = Task { try await group.run() }
        let result: Result<Void, any Error>
        do { result = .success(try await body(worker)) } catch { result = .failure(error) }
        await group.triggerGracefulShutdown()
        try await running.value
        try result.get()
    }
}

extension Worker {
    /// The queues that it has.
    var lookedAfter: Set<Identifier> { rounds.withLock { $0 }?.queues ?? [] }

    /// Those of them that are awake.
    var awake: Set<Identifier> { Set(rounds.withLock { $0 }?.awake ?? []) }

    /// Whether it has read the catalogue and begun.
    var isWorking: Bool { rounds.withLock { $0 } != nil }

    /// The value of a metric without labels, as it is exported.
    func exported(_ name: String) -> String? {
        metrics.render().split(separator: "\n").first { $0.hasPrefix(name + " ") }.map { String($0.dropFirst(name.count + 1)) }
    }
}
