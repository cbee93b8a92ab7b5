import HTTPTypes
import TestSupport
import Testing
import WaitingRoom

@testable import Gateway

@Suite("Limits of requests a minute")
struct RequestLimitTests {
    /// The statuses of `count` requests sent within one minute by the clock, which is waited for if need be.
    private func statuses(_ count: Int, _ send: (Int) async throws -> Int) async throws -> [Int] {
        let within = Timestamp.now().milliseconds % 60_000
        if within > 50_000 { try await Task.sleep(for: .milliseconds(60_000 - within)) }
        var statuses: [Int] = []
        for number in 0..<count { statuses.append(try await send(number)) }
        return statuses
    }

    private func expected(_ allowed: Int, of count: Int) -> [Int] {
        Array(repeating: 200, count: allowed) + Array(repeating: 429, count: count - allowed)
    }

    @Test("polls are limited by ticket, whichever way they take through the gateway, and a refused one costs no place")
    func polls() async throws {
        try await withGateway(["POLL_LIMIT_PER_MINUTE": "24"]) { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant)
            let token = try #require(try await site.join(queue, of: tenant).json["token"]?.string)
            let other = try #require(try await site.join(queue, of: tenant, visitor: "w").json["token"]?.string)
            let seen = try await statuses(30) { number in
                try await site.get(number % 3 == 0 ? "/queue_status?x=1&token=\(token)" : "/queue_status?token=\(token)").status
            }
            #expect(seen == expected(24, of: 30))
            for path in ["/queue_status?token=\(token)", "/queue_status?x=1&token=\(token)"] {
                let refused = try await site.get(path, headers: [.origin: "https://shop.example"])
                #expect(refused.status == 429)
                let seconds = try #require(refused.headers[.retryAfter].flatMap { Int($0) })
                #expect((1...60).contains(seconds))
                #expect(refused.headers[.rateLimitLimit] == "24")
                #expect(refused.headers[.rateLimitRemaining] == "0")
                #expect(refused.headers[.rateLimitReset] == String(seconds))
                #expect(refused.headers[.accessControlAllowOrigin] == "*")
                #expect(try refused.json["code"] == "rate_limited")
            }
            #expect(try await site.get("/queue_status?token=\(other)").status == 200)
            #expect(try await site.room.queues.statistics(of: [queue.id])[0].waiting == 2)
        }
    }

    @Test("joins are limited by address, and no header makes another client")
    func joins() async throws {
        try await withGateway(["JOIN_LIMIT_PER_MINUTE": "24"]) { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant)
            let seen = try await statuses(30) { number in
                let headers: HTTPFields = number % 2 == 0 ? [:] : [.forwardedFor: "192.0.2.\(number)"]
                return try await site.join(queue, of: tenant, visitor: "v\(number)", headers: headers).status
            }
            #expect(seen == expected(24, of: 30))
            #expect(try await site.room.queues.statistics(of: [queue.id])[0].waiting == 24)
            let refused = try await site.expect(429, .post, "/api/acme/pop/join", json: ["name": "Sam"])
            #expect(refused.json.keys == ["error", "code"])
        }
    }

    @Test("behind a trusted proxy each visitor has a limit of their own")
    func proxies() async throws {
        try await withGateway(["JOIN_LIMIT_PER_MINUTE": "2", "TRUSTED_PROXIES": "127.0.0.0/8,::1/128"]) { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant)
            let seen = try await statuses(12) { number in
                try await site.join(queue, of: tenant, visitor: "v\(number)", headers: [.forwardedFor: "192.0.2.\(number % 3)"]).status
            }
            #expect(seen == expected(6, of: 12))
        }
    }

    @Test("management is limited by who signed in")
    func management() async throws {
        try await withGateway(["RATE_LIMIT_PER_MINUTE": "24"]) { site in
            let token = try await site.signedIn(.superAdmin)
            let seen = try await statuses(30) { _ in try await site.get("/auth/me", bearer: token).status }
            #expect(seen == expected(24, of: 30))
            #expect(try await site.get("/auth/me", bearer: try await site.signedIn(.viewer)).status == 200)
        }
    }

    @Test("RATE_LIMIT=off limits nothing")
    func off() async throws {
        try await withGateway(["RATE_LIMIT": "off", "POLL_LIMIT_PER_MINUTE": "2", "JOIN_LIMIT_PER_MINUTE": "2"]) { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant)
            for number in 0..<5 { #expect(try await site.join(queue, of: tenant, visitor: "v\(number)").status == 200) }
        }
    }

    @Test("several gateways count as one")
    func gateways() async throws {
        try await withRedis { _, redis in
            let gateways = (0..<3).map { _ in RequestLimit(AttemptLimit(redis: redis), name: "test", perMinute: 60) }
            let seen = try await statuses(200) { number in
                if case .allowed = try await gateways[number % 3].attempt("client", number: 7) { 200 } else { 429 }
            }
            #expect(seen.filter { $0 == 200 }.count == 60)
        }
    }
}
