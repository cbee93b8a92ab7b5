import HTTPTypes
import TestSupport
import Testing
import WaitingRoom

@testable import Gateway

@Suite("Signing in", .serialized)
struct AuthRoutesTests {
    private static let form = "username=Ann%40example.com&password=right+one"

    private func withAnn(_ variables: [String: String] = [:], _ body: @Sendable @escaping (Site) async throws -> Void) async throws {
        try await withGateway(variables) { site in
            let ann = try await site.room.accounts.create(email: "ann@example.com", password: "right one", role: .superAdmin, tenant: nil)
            #expect(ann != nil)
            try await body(site)
        }
    }

    @Test("the right password gives a token that works", arguments: ["/auth/login", "/auth/token", "/auth/login/"])
    func login(path: String) async throws {
        try await withAnn { site in
            let answer = try await site.call(.post, path, form: Self.form + "&grant_type=password")
            #expect(answer.status == 200)
            #expect(answer.json.keys == ["access_token", "token_type", "expires_in"])
            #expect(answer.json["token_type"] == "bearer")
            #expect(answer.json["expires_in"] == .integer(Sessions.tokenSeconds))
            #expect(answer.headers[.cacheControl] == "no-store")
            let me = try await site.call(.get, "/auth/me", as: answer.json["access_token"]?.string)
            #expect(me.status == 200)
            #expect(me.json == ["email": "ann@example.com", "role": "super_admin", "app_id": nil])
        }
    }

    @Test("a wrong password and an unknown address are the same 401")
    func wrong() async throws {
        try await withAnn { site in
            for form in ["username=ann@example.com&password=wrong", "username=nobody@example.com&password=right+one"] {
                let answer = try await site.call(.post, "/auth/login", form: form)
                #expect(answer.status == 401)
                #expect(answer.detail == "Incorrect email or password")
                #expect(answer.headers[.wwwAuthenticate] == "Bearer")
            }
        }
    }

    @Test("what is no sign-in form is refused")
    func malformed() async throws {
        try await withAnn { site in
            #expect(try await site.call(.post, "/auth/login").wrongFields == ["username", "password"])
            let grant = try await site.call(.post, "/auth/login", form: Self.form + "&grant_type=client_credentials")
            #expect(grant.status == 422)
            #expect(grant.wrongFields == ["grant_type"])
            try await site.expect(422, .post, "/auth/login", form: "username=%FF&password=x")
            try await site.expect(415, .post, "/auth/login", json: ["username": "a", "password": "b"])
            let long = String(repeating: "a", count: maximumBodyBytes)
            try await site.expect(413, .post, "/auth/login", form: "username=a&password=\(long)")
        }
    }

    @Test("ten failures close the door to one account from one address, for a while")
    func failuresAreLimited() async throws {
        try await withAnn { site in
            for _ in 0..<10 {
                try await site.expect(401, .post, "/auth/login", form: "username=ann@example.com&password=wrong")
            }
            let refused = try await site.call(.post, "/auth/login", form: Self.form)
            #expect(refused.status == 429)
            #expect(refused.code == "rate_limited")
            let seconds = try #require(refused.headers[.retryAfter].flatMap { Int($0) })
            #expect((1...60).contains(seconds))
            // A made-up header from someone who is no proxy of ours does not make a new client.
            let disguised = try await site.call(.post, "/auth/login", form: Self.form, headers: [.forwardedFor: "198.51.100.7"])
            #expect(disguised.status == 429)
            try await site.expect(401, .post, "/auth/login", form: "username=bob@example.com&password=x")
        }
    }

    @Test("one address has the failures of ten accounts, whichever accounts it tries")
    func failuresOfAnAddressAreLimited() async throws {
        try await withAnn { site in
            for number in 0..<100 {
                try await site.expect(401, .post, "/auth/login", form: "username=nobody\(number)@example.com&password=x")
            }
            // The window slides while they are made.
            for number in 100..<140 {
                let form = "username=nobody\(number)@example.com&password=x"
                if try await site.call(.post, "/auth/login", form: form).status == 429 { break }
            }
            try await site.expect(429, .post, "/auth/login", form: Self.form)
        }
    }

    @Test("success counts for nothing, however often")
    func successIsFree() async throws {
        try await withAnn { site in
            for _ in 0..<12 { try await site.expect(200, .post, "/auth/login", form: Self.form) }
        }
    }

    @Test("behind a trusted proxy each client has its own count")
    func trustedProxy() async throws {
        try await withAnn(["TRUSTED_PROXIES": "127.0.0.0/8, ::1"]) { site in
            let wrong = "username=ann@example.com&password=wrong"
            for _ in 0..<10 {
                try await site.expect(401, .post, "/auth/login", form: wrong, headers: [.forwardedFor: "198.51.100.7"])
            }
            try await site.expect(429, .post, "/auth/login", form: Self.form, headers: [.forwardedFor: "198.51.100.7"])
            try await site.expect(200, .post, "/auth/login", form: Self.form, headers: [.forwardedFor: "198.51.100.8"])
        }
    }

    @Test("RATE_LIMIT=off counts nothing")
    func unlimited() async throws {
        try await withAnn(["RATE_LIMIT": "off"]) { site in
            for _ in 0..<11 {
                try await site.expect(401, .post, "/auth/login", form: "username=ann@example.com&password=wrong")
            }
        }
    }

    @Test("refreshing prolongs the session, not beyond 24 hours from the sign-in")
    func refresh() async throws {
        try await withAnn { site in
            let ann = try #require(try await site.room.accounts.find(email: "ann@example.com"))
            let now = Int(Timestamp.now().milliseconds / 1000)
            let nearlyOver = Sessions.Session(account: ann.id, signedIn: now - Sessions.sessionSeconds + 100)
            let token = try #require(try await site.room.sessions.issue(nearlyOver)).token
            let answer = try await site.call(.post, "/auth/refresh", as: token)
            #expect(answer.status == 200)
            guard case .integer(let left) = answer.json["expires_in"] else {
                Issue.record("expires_in is no integer: \(answer.text)")
                return
            }
            #expect(left > 0 && left <= 100)
            #expect(try await site.room.sessions.issue(.init(account: ann.id, signedIn: now - Sessions.sessionSeconds)) == nil)
        }
    }

    @Test("without a good token both answer 401", arguments: [nil, "", "x.y.z", "pk_AAAA", "whsec_AAAA"])
    func unauthorized(bearer: String?) async throws {
        try await withGateway { site in
            for (method, path) in [(HTTPRequest.Method.get, "/auth/me"), (.post, "/auth/refresh")] {
                let answer = try await site.call(method, path, as: bearer)
                #expect(answer.status == 401)
                #expect(answer.headers[.wwwAuthenticate] == "Bearer")
            }
        }
    }

    @Test("a secret key is its application's admin, and has no session")
    func secretKey() async throws {
        try await Office.with { office in
            let me = try await office.site.call(.get, "/auth/me", as: office.one.secret)
            #expect(me.json == ["email": nil, "role": "app_admin", "app_id": .string(office.one.tenant.id.description)])
            try await office.site.expect(401, .post, "/auth/refresh", as: office.one.secret)
        }
    }

    @Test("Redis away is 503 with Retry-After")
    func redisAway() async throws {
        try await withAnn { site in
            site.redis.crash()
            let answer = try await site.call(.post, "/auth/login", form: Self.form)
            #expect(answer.status == 503)
            #expect(answer.headers[.retryAfter] != nil)
        }
    }
}
