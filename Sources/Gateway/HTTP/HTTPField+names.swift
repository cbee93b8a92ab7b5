import HTTPTypes

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

    // What a proxy tells the gate, and is told.
    static let originalURI = HTTPField.Name("X-Original-URI")!
    static let forwardedURI = HTTPField.Name("X-Forwarded-Uri")!
    static let forwardedHost = HTTPField.Name("X-Forwarded-Host")!
    static let forwardedProto = HTTPField.Name("X-Forwarded-Proto")!
    static let visitorID = HTTPField.Name("X-Visitor-Id")!
    static let entryID = HTTPField.Name("X-Entry-Id")!

    // The desk's.
    static let adminKey = HTTPField.Name("X-Admin-Key")!
}
