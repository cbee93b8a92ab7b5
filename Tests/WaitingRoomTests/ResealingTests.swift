import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("Secrets sealed under an older SECRET_KEY")
struct ResealingTests {
    private static let old = String(repeating: "k", count: 32)
    private static let new = String(repeating: "n", count: 32)

    private func opened(_ line: Line, with secret: String) async throws -> [String] {
        let tenants = Tenants(redis: line.redis, secret: try #require(SecretKey(secret)))
        return tenants.signingSecrets(of: try #require(try await tenants.get(line.tenant.id)))
    }

    @Test("are sealed under the first key, the one in its grace too, so that the older can go")
    func reseal() async throws {
        try await Line.with { line in
            let (_, key) = try #require(try await line.tenants.rotateKeys(of: line.tenant, graceSeconds: 600))
            // "old,new", the first step of the operators' guide, changes nothing.
            let first = Resealing(redis: line.redis, secret: try #require(SecretKey("\(Self.old),\(Self.new)")))
            #expect(try await first.run() == Resealing.Outcome())

            let second = Resealing(redis: line.redis, secret: try #require(SecretKey("\(Self.new),\(Self.old)")))
            #expect(try await second.run() == Resealing.Outcome(resealed: 2))
            #expect(try await second.run() == Resealing.Outcome())
            let secrets = try await opened(line, with: Self.new)
            #expect(secrets.count == 2 && secrets.first == key)
            #expect(try await opened(line, with: Self.old).isEmpty)
        }
    }

    @Test("that no key opens are told of and left alone, and keys given meanwhile are not overwritten")
    func lost() async throws {
        try await Line.with { line in
            let stranger = try #require(SecretKey("\(Self.new),\(String(repeating: "x", count: 32))"))
            #expect(try await Resealing(redis: line.redis, secret: stranger).run() == Resealing.Outcome(lost: 1))
            #expect(try await opened(line, with: Self.old).count == 1)
            let key = CatalogueKeys.tenant(line.tenant.id)
            let reply = try await line.redis.evaluate(Scripts.reseal, keys: [key], arguments: ["secret", "what it was", "what it is"])
            #expect(reply.integer == 0)
            #expect(try await opened(line, with: Self.old).count == 1)
        }
    }
}
