import TestSupport
import Testing

@testable import WaitingRoom

@Suite("limit-1.lua")
struct AttemptLimitTests {
    @Test("as many attempts as allowed, then none, and a time to come back; another name has its own count")
    func limited() async throws {
        try await withRedis { _, redis in
            let limit = AttemptLimit(redis: redis)
            for left in [2, 1, 0] { #expect(try await limit.attempt("a", perMinute: 3) == .allowed(left: left)) }
            let refused = try await limit.attempt("a", perMinute: 3)
            guard case .refused(let seconds) = refused else {
                Issue.record("the fourth attempt was allowed")
                return
            }
            #expect((1...60).contains(seconds))
            #expect(try await limit.attempt("b", perMinute: 3) == .allowed(left: 2))
        }
    }

    @Test("looking counts nothing")
    func look() async throws {
        try await withRedis { _, redis in
            let limit = AttemptLimit(redis: redis)
            for _ in 0..<5 { #expect(try await limit.attempt("a", perMinute: 1, cost: 0) == .allowed(left: 1)) }
            let attempt = try await limit.attempt("a", perMinute: 1)
            #expect(attempt == .allowed(left: 0))
            guard case .refused = try await limit.attempt("a", perMinute: 1, cost: 0) else {
                Issue.record("a look after the last attempt was allowed")
                return
            }
        }
    }

    @Test("exact under many callers at once")
    func concurrent() async throws {
        try await withRedis { _, redis in
            let limit = AttemptLimit(redis: redis)
            let allowed = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<200 {
                    group.addTask { if case .allowed = try await limit.attempt("a", perMinute: 10) { true } else { false } }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            // A minute that turns in between lets none more in: what was counted before it weighs on.
            #expect(allowed == 10)
        }
    }
}

@Suite("Requests that Redis is not told of")
struct UntoldRequestsTests {
    @Test("the first few are free, then all are told, those before with the next")
    func told() {
        var untold = UntoldRequests()
        #expect((0..<5).map { _ in untold.cost(of: 1, minute: 10, free: 3) } == [nil, nil, nil, 4, 1])
        #expect(untold.cost(of: 2, minute: 10, free: 3) == nil)
        #expect(untold.cost(of: 3, minute: 10, free: 0) == 1)
    }

    @Test("a minute that turns makes nothing free again, nor forgets what was not told")
    func turn() {
        var untold = UntoldRequests()
        for _ in 0..<4 { _ = untold.cost(of: 1, minute: 10, free: 3) }
        for _ in 0..<2 { _ = untold.cost(of: 2, minute: 10, free: 3) }
        #expect(untold.cost(of: 1, minute: 11, free: 3) == 1)
        #expect(untold.cost(of: 2, minute: 11, free: 3) == nil)
        #expect(untold.cost(of: 2, minute: 11, free: 3) == 4)
        #expect(untold.cost(of: 1, minute: 12, free: 3) == 1)
    }

    @Test("of more clients than are counted here Redis is told at once, and those counted stay so")
    func many() {
        var untold = UntoldRequests()
        for client in 0..<UInt64(UntoldRequests.mostClients) { _ = untold.cost(of: client, minute: 10, free: 3) }
        #expect(untold.cost(of: 1_000_000, minute: 10, free: 3) == 1)
        #expect(untold.cost(of: 7, minute: 10, free: 3) == nil)
        #expect(untold.cost(of: 1_000_000, minute: 11, free: 3) == nil)
    }

    @Test("after a quiet minute the first few are free again")
    func quiet() {
        var untold = UntoldRequests()
        for _ in 0..<4 { _ = untold.cost(of: 1, minute: 10, free: 3) }
        #expect(untold.cost(of: 1, minute: 12, free: 3) == nil)
        // Seldom enough, it never costs anything.
        for minute in 20..<40 { #expect(untold.cost(of: 2, minute: Int64(minute), free: 3) == nil) }
    }
}
