import HTTPTypes

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
