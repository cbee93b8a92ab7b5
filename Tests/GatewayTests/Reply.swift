import HTTPTypes
import Redis
import Testing

@testable import Gateway
@testable import WaitingRoom

/// What came back of a management call, read leniently: a body that is no JSON is null.
struct Reply: Sendable {
    let status: Int
    let headers: HTTPFields
    let text: String

    var json: JSON { (try? JSONScanner.scan(Array(text.utf8))) ?? .null }
    /// The error's stable slug.
    var code: String? { json["code"]?.string }
    var detail: String? { json["detail"]?.string }
    /// The names of the fields that a 422 complains of.
    var wrongFields: [String] { (json["detail"]?.array ?? []).compactMap { $0["loc"]?.array?.last?.string } }
}

extension Site {
    /// Sends one request.
    /// - Parameters:
    ///   - bearer: for the `Authorization` header.
    ///   - json, text, form: the body, with its content type; `text` is sent as JSON, whatever it is.
    func call(
        _ method: HTTPRequest.Method, _ path: String, as bearer: String? = nil, json: JSON? = nil, text: String? = nil, form: String? = nil,
        headers: HTTPFields = [:]
    ) async throws -> Reply {
        let type = form != nil ? "application/x-www-form-urlencoded" : json != nil || text != nil ? "application/json" : nil
        let answer = try await send(method, path, bearer: bearer, headers: headers, body: json?.text ?? text ?? form, type: type)
        return Reply(status: answer.status, headers: answer.headers, text: answer.text)
    }

    /// Sends one request and expects this status.
    @discardableResult
    func expect(
        _ status: Int, _ method: HTTPRequest.Method, _ path: String, as bearer: String? = nil, json: JSON? = nil, form: String? = nil,
        headers: HTTPFields = [:], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Reply {
        let reply = try await call(method, path, as: bearer, json: json, form: form, headers: headers)
        #expect(reply.status == status, "\(method) \(path): \(reply.text)", sourceLocation: sourceLocation)
        return reply
    }

    /// The token of a new account that nobody can sign in to: hashing a password for each would be most of a test's time.
    func signedIn(_ role: Account.Role, of tenant: Identifier? = nil) async throws -> String {
        let account = Account(
            id: .random(), email: "\(role.rawValue)@example.com", role: role, tenant: tenant, passwordHash: "", created: .now())
        let fields = account.fields.flatMap { [RedisArgument.string($0.0), .string($0.1)] }
        _ = try await room.redis.send(RedisCommand("HSET", arguments: [.string(CatalogueKeys.account(account.id))] + fields))
        let session = Sessions.Session(account: account.id, signedIn: Int(Timestamp.now().milliseconds / 1000))
        return try #require(try await room.sessions.issue(session)).token
    }
}

extension JSON {
    /// The keys of an object, in their order.
    var keys: [String] {
        if case .object(let members) = self { members.map(\.key) } else { [] }
    }

    /// The named text of each object of a list.
    func all(_ key: String) -> [String] { (array ?? []).compactMap { $0[key]?.string } }
}
