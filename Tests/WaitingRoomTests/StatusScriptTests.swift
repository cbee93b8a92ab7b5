import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("status-5.lua, cancel-8.lua, list-6.lua")
struct StatusScriptTests {
    @Test("places move up when somebody in front leaves")
    func movingUp() async throws {
        try await Line.with { line in
            let people = [try await line.join("a"), try await line.join("b"), try await line.join("c")]
            #expect(try await line.queues.cancel(try line.ticket(people[0])))
            let last = try #require(try await line.status(people[2]))
            #expect(last.state == .waiting)
            #expect(last.position == 2)
            #expect(last.queueLength == 2)
        }
    }

    @Test("a cancelled person is told so, and cannot cancel twice")
    func cancelTwice() async throws {
        try await Line.with { line in
            let joined = try await line.join()
            let ticket = try line.ticket(joined)
            let done = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<20 { group.addTask { try await line.queues.cancel(ticket) } }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(done == 1)
            #expect(try #require(try await line.status(joined)).state == .cancelled)
            #expect(try await line.statistics().total.cancelled == 1)
        }
    }

    @Test("nothing is known of an entry that never was")
    func unknown() async throws {
        try await Line.with { line in
            let ticket = Ticket(
                queue: line.queue.id, entry: .random(), sequence: 1, joined: .now(), epoch: 1, visitor: "v")
            let entry = try await line.queues.status(of: ticket.entry, in: ticket.queue)
            let cancelled = try await line.queues.cancel(ticket.entry, in: ticket.queue)
            #expect(entry == nil && !cancelled)
        }
    }

    @Test("the list has those waiting in order, then each state; states, skip and limit choose a part of it")
    func list() async throws {
        try await Line.with { line in
            var people: [Queues.Joined] = []
            for index in 0..<6 { people.append(try await line.join("v\(index)")) }
            try await line.releaseOne()
            #expect(try await line.queues.cancel(try line.ticket(people[3])))
            let all = try await line.queues.list(line.queue.id, skip: 0, limit: 100)
            #expect(all.map(\.visitor) == ["v1", "v2", "v4", "v5", "v0", "v3"])
            #expect(all.map(\.position) == [1, 2, 3, 4, 0, 0])
            #expect(all.map(\.state) == [.waiting, .waiting, .waiting, .waiting, .released, .cancelled])
            for skip in 0..<7 {
                let part = try await line.queues.list(line.queue.id, skip: skip, limit: 2)
                #expect(part.map(\.id) == all.dropFirst(skip).prefix(2).map(\.id))
                #expect(part.map(\.position) == all.dropFirst(skip).prefix(2).map(\.position))
            }
            let cancelled = try await line.queues.list(line.queue.id, states: [.cancelled], skip: 0, limit: 10)
            #expect(cancelled.map(\.visitor) == ["v3"])
        }
    }
}
