import HTTPTypes
import Hummingbird
import WaitingRoom

/// Signing in, and staying signed in.
struct AuthRoutes {
    /// How many accounts' worth of failures one address has: to try a password takes a tenth of a second of a processor, whoever's it is.
    private static let accounts = 10

    let room: Room

    var routes: [Route] {
        [
            Route(.post, "/auth/login", access: .anyone, Self.signIn("Sign in"), handler: login),
            Route(.post, "/auth/token", access: .anyone, Self.signIn("Sign in (OAuth 2.0 password grant)"), handler: login),
            Route(
                .get, "/auth/me", access: .viewer,
                Operation(tag: "Sign-in", summary: "Who the bearer is", answer: Operation.schema("Me")), handler: me),
            Route(
                .post, "/auth/refresh", access: .viewer,
                Operation(
                    tag: "Sign-in", summary: "A new token for the same session, which ends after 24 hours",
                    answer: Operation.schema("Token")),
                handler: refresh),
            Route(
                .post, "/auth/logout", access: .viewer,
                Operation(tag: "Sign-in", summary: "End the session, on every gateway", success: 204), handler: logout),
        ]
    }

    private static func signIn(_ summary: String) -> Operation {
        Operation(
            tag: "Sign-in", summary: summary,
            body: [
                "type": "object", "required": ["username", "password"],
                "properties": [
                    "username": ["type": "string", "maxLength": 320], "password": ["type": "string", "maxLength": 1024],
                    "grant_type": ["type": "string", "enum": ["password"]],
                ],
            ], bodyIsForm: true, answer: Operation.schema("Token"), failures: [401, 413, 415, 422, 429, 503])
    }

    @Sendable func login(_ request: Request, context: GatewayContext) async throws -> Response {
        var form = try await request.formFields(orJSON: false)
        let email = form.text("username", length: 1...320)
        let password = form.text("password", length: 1...1024)
        _ = form.choice("grant_type", of: ["password"])
        try form.check()

        // The first administrator may not be known yet: that is no wrong password.
        guard !room.readiness.isStarting else { throw GatewayError.unavailable }
        let address = context.clientAddress(room, request)
        let perMinute = room.configuration.limits.signInsPerMinute
        let attempts = SignInAttempts(
            room: room, limits: [("\(email.lowercased())|\(address)", perMinute), ("\(address)", perMinute * Self.accounts)])
        try await attempts.look()
        guard let account = try await room.accounts.signIn(email: email, password: password) else {
            try await attempts.count()
            throw GatewayError.unauthorized("Incorrect email or password", code: "invalid_credentials")
        }
        // Looked at again, or a burst of guesses sent at once would all be answered.
        try await attempts.look()
        try await room.accounts.noteSignIn(account.id)
        return try await token(
            for: Sessions.Session(account: account.id, signedIn: max(account.sessionsSince, Int(Timestamp.now().milliseconds / 1000))),
            request)
    }

    @Sendable func me(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .viewer)
        let (email, application): (String?, Identifier?) =
            switch caller {
            case .account(let account): (account.email, account.tenant)
            case .tenant(let tenant): (nil, tenant.id)
            }
        return .json([
            "email": .optional(email), "role": .string(caller.role.rawValue), "app_id": .optional(application?.description),
        ])
    }

    @Sendable func refresh(_ request: Request, context: GatewayContext) async throws -> Response {
        guard case .account = try await room.caller(request, atLeast: .viewer), let bearer = request.bearer,
            let session = await room.sessions.verify(bearer)
        else {
            throw GatewayError.unauthorized(
                "A secret key has no session to refresh: sign in at POST /auth/login", code: "invalid_credentials")
        }
        return try await token(for: session, request)
    }

    @Sendable func logout(_ request: Request, context: GatewayContext) async throws -> Response {
        _ = try await room.caller(request, atLeast: .viewer)
        if let bearer = request.bearer, let session = await room.sessions.verify(bearer) {
            try await room.accounts.end(session: session.id, forSeconds: Sessions.sessionSeconds)
        }
        var response = Response.noContent
        if request.isFromPage { response.headers[.setCookie] = SessionCookie.cleared(isSecure: isSecure) }
        return response
    }

    /// A new token; one of our pages gets it as a cookie, which its scripts cannot read, and nothing else.
    private func token(for session: Sessions.Session, _ request: Request) async throws -> Response {
        guard let issued = try await room.sessions.issue(session) else {
            throw GatewayError.unauthorized("The session has lasted for 24 hours: sign in again", code: "session_ended")
        }
        var headers: HTTPFields = [.cacheControl: "no-store"]
        if request.isFromPage {
            headers[.setCookie] = SessionCookie.set(issued.token, seconds: issued.expiresIn, isSecure: isSecure)
        }
        return .json(
            [
                "access_token": request.isFromPage ? "" : .string(issued.token), "token_type": "bearer",
                "expires_in": .integer(issued.expiresIn),
            ], headers: headers)
    }

    private var isSecure: Bool { room.configuration.publicURL.hasPrefix("https:") }
}

/// Failures to sign in, each counted against several limits a minute.
private struct SignInAttempts {
    let room: Room
    let limits: [(name: String, perMinute: Int)]

    /// - Throws: ``GatewayError`` 429 when there were too many.
    func look() async throws { try await check(cost: 0) }

    /// Counts one more.
    /// - Throws: ``GatewayError`` 429 when it is one too many.
    func count() async throws { try await check(cost: 1) }

    private func check(cost: Int) async throws {
        guard room.configuration.limits.isOn else { return }
        for limit in limits {
            guard case .refused(let seconds) = try await room.limit.attempt("sign-in:\(limit.name)", perMinute: limit.perMinute, cost: cost)
            else { continue }
            room.metrics.limited(by: "sign_in")
            throw GatewayError.tooManyRequests(retryAfterSeconds: seconds, perMinute: limit.perMinute)
        }
    }
}
