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

/// A real gateway on a port of its own, over a private Redis, and short words for what tests ask of it.
struct Site: Sendable {
    static let email = "admin@example.com"
    static let password = "a password of the tests"

    let client: any TestClientProtocol
    let room: Room
    let redis: RedisServer

    /// One answer, its body read.
    struct Answer: Sendable {
        let status: Int
        let headers: HTTPFields
        let text: String

        /// The body as strict JSON.
        var json: JSON { get throws { try JSONScanner.scan(Array(text.utf8)) } }

        /// The keys of the body's object, in order.
        var keys: [String] {
            get throws {
                guard case .object(let members) = try json else { return [] }
                return members.map(\.key)
            }
        }
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, bearer: String? = nil, headers: HTTPFields = [:], json: JSON? = nil,
        body: String? = nil,
        type: String? = nil
    ) async throws -> Answer {
        var headers = headers
        if let bearer { headers[.authorization] = "Bearer \(bearer)" }
        if let type { headers[.contentType] = type } else if json != nil { headers[.contentType] = "application/json" }
        let text = json?.text ?? body
        return try await client.execute(uri: path, method: method, headers: headers, body: text.map { ByteBuffer(string: $0) }) {
            response in
            Answer(status: response.status.code, headers: response.headers, text: String(buffer: response.body))
        }
    }

    func get(_ path: String, bearer: String? = nil, headers: HTTPFields = [:]) async throws -> Answer {
        try await send(.get, path, bearer: bearer, headers: headers)
    }

    func post(_ path: String, _ json: JSON, bearer: String? = nil, headers: HTTPFields = [:]) async throws -> Answer {
        try await send(.post, path, bearer: bearer, headers: headers, json: json)
    }

    /// The token of someone who signed in; the first super admin by default.
    func signIn(_ email: String = Site.email, _ password: String = Site.password) async throws -> String {
        let form = "username=\(email)&password=\(password.replacing(" ", with: "+"))"
        let answer = try await send(.post, "/auth/login", body: form, type: "application/x-www-form-urlencoded")
        return try #require(try answer.json["access_token"]?.string)
    }

    /// A new application and its secret key.
    func application(name: String = "Shop", domain: String = "shop.example") async throws -> (tenant: Tenant, secretKey: String) {
        try #require(try await room.tenants.create(.init(name: name, domain: domain)))
    }

    func queue(of tenant: Tenant, rate: Double = 0, change: (inout Queue) -> Void = { _ in }) async throws -> Queue {
        let queue = try await room.queues.create(tenant: tenant.id, name: "Drop") {
            $0.ratePerMinute = rate
            change(&$0)
        }
        return try #require(queue)
    }

    func join(_ queue: Queue, of tenant: Tenant, visitor: String = "v", headers: HTTPFields = [:]) async throws -> Answer {
        var headers = headers
        headers[HTTPField.Name("X-API-Key")!] = tenant.apiKey
        return try await post("/join", ["queue_id": .string(queue.id.description), "visitor_id": .string(visitor)], headers: headers)
    }
}

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
