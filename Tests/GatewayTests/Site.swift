import HTTPTypes
import HummingbirdTesting
import NIOCore
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
