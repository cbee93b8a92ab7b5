import HTTPTypes
import Hummingbird
import WaitingRoom

extension HTTPField.Name {
    static let requestID = HTTPField.Name("X-Request-Id")!
    static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
    /// The api key's header in the three spellings that clients use; proxies drop the one with underscores.
    static let apiKeys = ["X-API-Key", "app-api-key", "app_api_key"].map { HTTPField.Name($0)! }
    static let forwardedFor = HTTPField.Name("X-Forwarded-For")!
    static let lastEventID = HTTPField.Name("Last-Event-ID")!
    static let accelBuffering = HTTPField.Name("X-Accel-Buffering")!
    static let contentTypeOptions = HTTPField.Name("X-Content-Type-Options")!
    static let rateLimitLimit = HTTPField.Name("RateLimit-Limit")!
    static let rateLimitRemaining = HTTPField.Name("RateLimit-Remaining")!
    static let rateLimitReset = HTTPField.Name("RateLimit-Reset")!
    static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
}

/// Puts around every answer what each must have: the request's id, CORS headers, and `Connection: close` while the gateway drains.
struct EnvelopeMiddleware: RouterMiddleware {
    let origins: AllowedOrigins
    let readiness: Readiness
    let metrics: GatewayMetrics

    func handle(_ request: Request, context: GatewayContext, next: (Request, GatewayContext) async throws -> Response) async throws
        -> Response
    {
        let started = ContinuousClock.now
        var response = try await next(request, context)
        response.headers[.requestID] = context.requestID
        response.headers[.contentTypeOptions] = "nosniff"
        origins.allow(request.headers[.origin], preflight: request.method == .options, in: &response.headers)
        if readiness.isDraining { response.headers[.connection] = "close" }
        metrics.answered(
            method: request.method, route: context.endpointPath ?? "none", status: response.status.code, in: started.duration(to: .now))
        return response
    }
}

/// Which web pages may read our answers (`ALLOWED_ORIGINS`; Fetch standard, "CORS protocol"). Credentials are never allowed: the
/// dashboard's cookie is for our own pages.
struct AllowedOrigins: Sendable {
    private let origins: Set<String>

    init(_ origins: [String]) { self.origins = Set(origins) }

    /// Whether any page may.
    var areAll: Bool { origins.contains("*") }

    func allow(_ origin: String?, preflight: Bool, in headers: inout HTTPFields) {
        if areAll {
            headers[.accessControlAllowOrigin] = "*"
        } else {
            headers[.vary] = headers[.vary].map { "\($0), Origin" } ?? "Origin"
            guard let origin, origins.contains(origin) else { return }
            headers[.accessControlAllowOrigin] = origin
        }
        if preflight {
            headers[.accessControlAllowMethods] = "GET, HEAD, POST, PUT, DELETE, OPTIONS"
            headers[.accessControlAllowHeaders] =
                "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-API-Key, X-Admin-Key, app-api-key, app_api_key"
            headers[.accessControlMaxAge] = "600"
        } else {
            headers[.accessControlExposeHeaders] = Self.exposed
        }
    }

    static let exposed = "Date, X-Request-Id, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset"
}
