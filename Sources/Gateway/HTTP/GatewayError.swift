import HTTPTypes
import Redis
import WaitingRoom

/// An answer that is not a success. ``ErrorMiddleware`` gives it the shape of the dialect that the path belongs to.
struct GatewayError: Error {
    /// One thing wrong with a body or a query, in the form that the QMS clients know (FastAPI's validation errors).
    struct Problem: Sendable {
        /// `missing`, `string_too_long`, …
        let type: String
        /// Where: `["body", "name"]`.
        let location: [JSON]
        let message: String
        let input: JSON
    }

    let status: HTTPResponse.Status
    /// A stable slug for programs.
    let code: String
    /// What happened and what to do next, for people.
    let message: String
    var problems: [Problem] = []
    var headers: HTTPFields = [:]
}

extension GatewayError {
    /// What to answer when a step failed with `error`.
    init(_ error: any Error) {
        switch error {
        case let error as GatewayError: self = error
        case let error as RedisError where error.isUnavailable: self = .unavailable
        case Queues.Refusal.usedInvitation: self = .invitationUsed
        case Queues.Refusal.usedChallenge: self = .challengeUsed
        default: self.init(status: .internalServerError, code: "internal_error", message: "Internal server error")
        }
    }

    static func notFound(_ what: String, code: String) -> GatewayError {
        GatewayError(status: .notFound, code: code, message: what)
    }

    static let applicationNotFound = notFound("Application not found", code: "application_not_found")
    static let queueNotFound = notFound("Queue not found", code: "queue_not_found")
    static let queueClosed = conflict("Queue is closed: nobody can join any more", code: "queue_closed")
    static let tokenNotFound = notFound("Token not found", code: "token_not_found")
    static let entryNotFound = notFound("Entry not found", code: "entry_not_found")

    static func invalid(_ problems: [Problem]) -> GatewayError {
        GatewayError(
            status: .unprocessableContent, code: "validation_failed", message: problems.first.map(\.summary) ?? "Invalid request",
            problems: problems)
    }

    static func invalid(_ field: String, in place: String = "body", type: String, _ message: String, input: JSON) -> GatewayError {
        invalid([Problem(type: type, location: [.string(place), .string(field)], message: message, input: input)])
    }

    static func unauthorized(_ message: String, code: String = "not_authenticated") -> GatewayError {
        GatewayError(status: .unauthorized, code: code, message: message, headers: [.wwwAuthenticate: "Bearer"])
    }

    static let forbidden = GatewayError(
        status: .forbidden, code: "forbidden", message: "Not enough permissions: ask a super admin for a role that may do this")

    static func conflict(_ message: String, code: String) -> GatewayError {
        GatewayError(status: .conflict, code: code, message: message)
    }

    static let contentTooLarge = GatewayError(
        status: .contentTooLarge, code: "body_too_large", message: "The body is larger than 64 KiB; send less")

    /// - Parameter perMinute: the limit that was reached.
    static func tooManyRequests(retryAfterSeconds: Int, perMinute: Int) -> GatewayError {
        GatewayError(
            status: .tooManyRequests, code: "rate_limited", message: "Too many requests; try again in \(retryAfterSeconds) seconds",
            headers: [
                .retryAfter: String(retryAfterSeconds), .rateLimitLimit: String(perMinute), .rateLimitRemaining: "0",
                .rateLimitReset: String(retryAfterSeconds),
            ])
    }

    static let unavailable = GatewayError(
        status: .serviceUnavailable, code: "unavailable",
        message: "The service cannot reach its store just now. Places in line are kept; try again in a few seconds",
        headers: [.retryAfter: "2"])
}

extension GatewayError.Problem {
    /// `name: Field required`.
    var summary: String { "\(location.last?.string ?? "body"): \(message)" }

    var json: JSON {
        ["type": .string(type), "loc": .array(location), "msg": .string(message), "input": input]
    }
}
