import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Redis
import TestSupport
import Testing
import WaitingRoom

/// A whole installation of its own: Redis, gateways and releasers as processes, talked to over HTTP as a website would.
final class Installation: Sendable {
    static let email = "admin@example.com"
    static let password = "a-password-of-the-tests"
    static let secretKey = String(repeating: "s", count: 40)

    let redis: RedisServer
    let port: Int
    private let environment: [String: String]
    private let programs = Locked<[Program]>([])

    private init(redis: RedisServer, environment: [String: String]) {
        self.redis = redis
        port = freePort()
        self.environment = environment.merging([
            "REDIS_URL": redis.url, "SECRET_KEY": Self.secretKey, "ADMIN_EMAIL": Self.email, "ADMIN_PASSWORD": Self.password,
            "LOG_LEVEL": "notice",
            // Tests look more often than visitors do.
            "RATE_LIMIT": "off",
        ]) { given, _ in given }
    }

    /// Runs `body` with Redis and one gateway started; ends everything with it.
    static func with(
        redis arguments: [String] = [], environment: [String: String] = [:], _ body: @Sendable @escaping (Installation) async throws -> Void
    ) async throws {
        let redis = try await RedisServer(arguments: arguments)
        let installation = Installation(redis: redis, environment: environment)
        defer {
            for program in installation.programs.get() { program.remove() }
            redis.stop()
        }
        try await installation.gateway(port: installation.port)
        try await body(installation)
    }

    /// Starts one more gateway and waits until it is ready.
    @discardableResult
    func gateway(port: Int, environment more: [String: String] = [:]) async throws -> Program {
        let program = try start("Gateway", ["PORT": String(port)].merging(more) { $1 })
        try await eventually("the gateway is ready") { (try? await self.get("/health/ready", port: port).status) == 200 }
        return program
    }

    /// Starts one more releaser and waits until it is ready.
    @discardableResult
    func releaser(environment more: [String: String] = [:]) async throws -> Program {
        let port = freePort()
        let program = try start("Releaser", ["METRICS_PORT": String(port)].merging(more) { $1 })
        try await eventually("the releaser is ready") { (try? await self.get("/health/ready", port: port).status) == 200 }
        return program
    }

    private func start(_ name: String, _ more: [String: String]) throws -> Program {
        let program = try Program(name, environment: environment.merging(more) { $1 })
        programs.update { $0.append(program) }
        return program
    }

    // MARK: HTTP

    struct Answer: Sendable {
        let status: Int
        let json: JSON
    }

    func get(_ path: String, port: Int? = nil, bearer: String? = nil) async throws -> Answer {
        try await send("GET", path, port: port, headers: bearer.map { [("Authorization", "Bearer \($0)")] } ?? [], body: nil)
    }

    func post(_ path: String, _ json: JSON, port: Int? = nil, bearer: String? = nil, headers: [(String, String)] = []) async throws
        -> Answer
    {
        let all = headers + (bearer.map { [("Authorization", "Bearer \($0)")] } ?? []) + [("Content-Type", "application/json")]
        return try await send("POST", path, port: port, headers: all, body: json.text)
    }

    func send(_ method: String, _ path: String, port: Int? = nil, headers: [(String, String)], body: String?) async throws -> Answer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port ?? self.port)\(path)")
        request.method = .init(rawValue: method)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.body = body.map { .bytes(ByteBuffer(string: $0)) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        let bytes = try await response.body.collect(upTo: 4 << 20)
        return Answer(status: Int(response.status.code), json: (try? JSONScanner.scan(Array(bytes.readableBytesView))) ?? .null)
    }

    func signIn() async throws -> String {
        let form = "username=\(Self.email)&password=\(Self.password)"
        let answer = try await send("POST", "/auth/login", headers: [("Content-Type", "application/x-www-form-urlencoded")], body: form)
        return try #require(answer.json["access_token"]?.string)
    }

    /// A site's application, made over HTTP.
    struct Site: Sendable {
        let id: String
        let apiKey: String
        let secretKey: String
    }

    func application(_ token: String, callbackURL: String?) async throws -> Site {
        let answer = try await post(
            "/applications/", ["name": "Shop", "domain": "127.0.0.1", "callback_url": .optional(callbackURL)], bearer: token)
        #expect(answer.status == 201)
        return Site(
            id: try #require(answer.json["id"]?.string), apiKey: try #require(answer.json["api_key"]?.string),
            secretKey: try #require(answer.json["secret_key"]?.string))
    }

    func queue(_ token: String, of site: Site, ratePerMinute: Int, more: [JSON.Member] = []) async throws -> Identifier {
        let members: [JSON.Member] =
            [.init("application_id", .string(site.id)), .init("name", "Drop"), .init("max_users_per_minute", .integer(ratePerMinute))]
            + more
        let answer = try await post("/queues/", .object(members), bearer: token)
        #expect(answer.status == 201)
        return try #require(answer.json["id"]?.string.flatMap { Identifier(uuid: $0) })
    }

    func join(_ queue: Identifier, of site: Site, visitor: String, port: Int? = nil, key: String? = nil) async throws -> Answer {
        try await post(
            "/join", ["queue_id": .string(queue.description), "visitor_id": .string(visitor)], port: port,
            headers: [("X-API-Key", site.apiKey)] + (key.map { [("Idempotency-Key", $0)] } ?? []))
    }
}
