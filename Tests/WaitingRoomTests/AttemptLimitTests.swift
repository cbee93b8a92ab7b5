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
            for _ in 0..<5 { #expect(try await limit.look("a", perMinute: 1) == .allowed(left: 1)) }
            let attempt = try await limit.attempt("a", perMinute: 1)
            #expect(attempt == .allowed(left: 0))
            guard case .refused = try await limit.look("a", perMinute: 1) else {
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
