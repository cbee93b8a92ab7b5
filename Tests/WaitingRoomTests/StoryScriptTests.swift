import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("story-12.lua, let_in-11.lua, search-3.lua")
struct StoryScriptTests {
    @Test("the place when joined is right whatever became of those ahead and behind")
    func placeWhenJoined() async throws {
        try await Line.with { line in
            let people = [try await line.join("a"), try await line.join("b"), try await line.join("c")]
            try await Task.sleep(for: .milliseconds(5))
            try await line.releaseOne()
            #expect(try await line.queues.cancel(try line.ticket(people[1])))
            try await Task.sleep(for: .milliseconds(5))
            let late = [try await line.join("d"), try await line.join("e")]
            #expect(try await line.queues.letIn(late[1].entry.id, of: line.queue.id))
            try await line.releaseOne()
            var places: [Int?] = []
            for person in people + late {
                places.append(try await line.queues.story(of: person.entry.id, in: line.queue.id, retentionHours: 24)?.placeWhenJoined)
            }
            #expect(places == [1, 2, 3, 2, 3])
            #expect(try await line.queues.story(of: .random(), in: line.queue.id, retentionHours: 24) == nil)
        }
    }

    @Test("somebody is let in by hand once, from anywhere in the line, and nothing is taken from the rate")
    func byHand() async throws {
        try await Line.with(rate: 60) { line in
            let people = [try await line.join("a"), try await line.join("b"), try await line.join("c")]
            try await line.bucket(tokens: 1, seconds: 0)
            let done = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<20 { group.addTask { try await line.queues.letIn(people[2].entry.id, of: line.queue.id) } }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(done == 1)
            #expect(try await line.status(people[2])?.state == .released)
            #expect(try await line.status(people[0])?.position == 1)
            let owed = try await line.callbacks.claim(line.queue.id, limit: 10, lease: .seconds(60)).callbacks.map(\.entry)
            #expect(owed == [people[2].entry.id])
            // The token is still there.
            #expect(try await line.queues.release(line.queue.id).people.map(\.entry) == [people[0].entry.id])
            #expect(try await line.queues.delete(line.queue.id, retentionHours: 24))
            #expect(try await line.queues.letIn(people[1].entry.id, of: line.queue.id) == false)
        }
    }

    @Test("people are found by a part of their visitor id or name, whatever became of them")
    func search() async throws {
        try await Line.with { line in
            let bob = try await line.join("user-Bob-17")
            try await line.join("somebody")
            let named = try #require(
                try await line.queues.join(.init(queue: line.queue, walkIn: WalkIn(name: "Bobby", serviceType: nil))))
            try await line.releaseOne()
            func found(_ text: String) async throws -> [Identifier] {
                try await line.queues.search(line.queue.id, for: text).map(\.id)
            }
            #expect(try await found("BOB") == [bob.entry.id, named.entry.id])
            #expect(try await found("b-17") == [bob.entry.id])
            #expect(try await found("%a").isEmpty)
        }
    }
}
