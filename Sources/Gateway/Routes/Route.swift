import HTTPTypes
import Hummingbird
import WaitingRoom

/// One operation of the API: what the router serves, what the OpenAPI document tells, and who may call it, in one place.
struct Route: Sendable {
    typealias Handler = @Sendable (Request, GatewayContext) async throws -> Response

    /// Who may call. The handler gets the caller from ``Room/caller(_:atLeast:)`` and narrows it to what is theirs.
    enum Access: String, Sendable {
        case anyone
        /// An application's api key (`X-API-Key`, `app-api-key`, `app_api_key`).
        case apiKey
        /// A queue's admin key (`X-Admin-Key`).
        case adminKey
        /// A visitor's own token.
        case ticket
        /// A bearer of at least this role.
        case viewer
        case tenantAdmin
        case superAdmin
    }

    let method: HTTPRequest.Method
    /// With parameters in braces: `/queues/{id}`.
    let path: String
    let access: Access
    let about: Operation
    let handler: Handler

    init(_ method: HTTPRequest.Method, _ path: String, access: Access, _ about: Operation, handler: @escaping Handler) {
        self.method = method
        self.path = path
        self.access = access
        self.about = about
        self.handler = handler
    }
}
