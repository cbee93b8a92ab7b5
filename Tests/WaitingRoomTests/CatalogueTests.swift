import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("Catalogue")
struct CatalogueTests {
    @Test("two changes of different settings, each made from what was read before, both hold")
    func changes() async throws {
        try await Line.with { line in
            let before = try #require(try await line.queues.get(line.queue.id))
            var (slower, told) = (before, before)
            slower.ratePerMinute = 3
            told.message = "Soon"
            #expect(try await line.queues.update(slower, from: before))
            #expect(try await line.queues.update(told, from: before))
            let after = try #require(try await line.queues.get(line.queue.id))
            #expect(after.ratePerMinute == 3)
            #expect(after.message == "Soon")
        }
    }

    @Test("a deleted queue is not changed, not even by nothing")
    func deleted() async throws {
        try await Line.with { line in
            let before = try #require(try await line.queues.get(line.queue.id))
            #expect(try await line.queues.update(before, from: before))
            #expect(try await line.queues.delete(line.queue.id))
            #expect(try await line.queues.update(before, from: before) == false)
            #expect(try await line.queues.update(before) == false)
        }
    }

    @Test("a queue whose slug is taken is in no index")
    func taken() async throws {
        try await Line.with { line in
            let tenant = line.queue.tenant
            let one = try await line.queues.create(tenant: tenant, name: "One", slug: "same")
            let two = try await line.queues.create(tenant: tenant, name: "Two", slug: "same")
            #expect(one != nil)
            #expect(two == nil)
            for queues in [try await line.queues.list(of: tenant), try await line.queues.list()] {
                #expect(queues.filter { $0.name == "One" }.count == 1)
                #expect(!queues.contains { $0.name == "Two" })
            }
        }
    }
}
