import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("Steps of a desk")
struct DeskScriptTests {
    private func join(_ line: Line, _ names: String..., type: ServiceType? = nil, queue: Queue? = nil) async throws -> [Identifier] {
        var ids: [Identifier] = []
        for name in names {
            let request = Queues.JoinRequest(queue: queue ?? line.queue, walkIn: WalkIn(name: name, serviceType: type))
            ids.append(try #require(try await line.queues.join(request)).entry.id)
        }
        return ids
    }

    private func entry(_ step: DeskStep) throws -> Entry {
        guard case .done(let entry) = step else { throw Unexpected(step: step) }
        return entry
    }

    private struct Unexpected: Error { let step: DeskStep }

    private func waiting(_ line: Line) async throws -> [String] {
        try await line.queues.list(line.queue.id, states: [.waiting], skip: 0, limit: 100).map(\.name)
    }

    private func kinds(_ line: Line) async throws -> [String] {
        try await line.queues.events(line.queue.id, limit: 100).reversed().map { "\($0.kind) \($0.name)" }
    }

    private func released(_ line: Line) async throws -> Int { try await line.statistics().total.released }

    @Test("first come, first served; nobody waiting is nobody")
    func order() async throws {
        try await Line.with { line in
            let desk = line.queues.desk(of: line.queue.id)
            #expect(try await desk.serveNext() == .nobody)
            _ = try await join(line, "Ann", "Bob")
            let first = try entry(try await desk.serveNext())
            #expect(first.name == "Ann")
            #expect(first.visitorID == "")
            #expect(first.state == .released && first.deskState == nil)
            #expect(first.queueLength == 1)
            #expect(try entry(try await desk.serveNext()).name == "Bob")
            #expect(try await desk.serveNext() == .nobody)
            #expect(try await kinds(line) == ["JOIN Ann", "JOIN Bob", "SERVE Ann", "SERVE Bob"])
        }
    }

    @Test("a website's visitor whom a desk takes is inside until they are put back or do not come; who joined by name is not")
    func sessions() async throws {
        try await Line.with { line in
            _ = try await join(line, "Ann")
            let visitors = [try await line.join("one"), try await line.join("two")]
            let desk = line.queues.desk("1", of: line.queue.id)
            func inside() async throws -> [String] {
                let reply = try await line.redis.send(RedisCommand("ZRANGE", .string(line.keys.sessions), 0, -1))
                return (reply.array ?? []).compactMap(\.string)
            }
            #expect(try entry(try await desk.serveNext()).name == "Ann")
            #expect(try await inside() == [])
            #expect(try entry(try await desk.call()).id == visitors[0].entry.id)
            #expect(try await inside() == [visitors[0].entry.id.compact])
            let called = try #require(try await line.status(visitors[0]))
            #expect(Pass(called, of: line.queue) != nil)
            #expect(try await desk.noShow().isDone)
            #expect(try await inside() == [])
            let missing = try #require(try await line.status(visitors[0]))
            #expect(missing.state == .released && Pass(missing, of: line.queue) == nil)
            #expect(try await desk.undo().isDone)
            #expect(try await inside() == [visitors[0].entry.id.compact])
            #expect(try await desk.return().isDone)
            #expect(try await inside() == [])
        }
    }

    @Test("the next call serves the one before; each step is an event of its desk")
    func calls() async throws {
        try await Line.with { line in
            let ids = try await join(line, "Ann", "Bob")
            let desk = line.queues.desk("Desk 3", of: line.queue.id)
            let called = try entry(try await desk.call())
            #expect(called.id == ids[0] && called.deskState == .called && called.desk == "Desk 3" && called.position == 0)
            #expect(try entry(try await desk.recall()).id == ids[0])
            var calls = try await line.queues.calls(line.queue.id)
            #expect(calls.map(\.times) == [2])
            #expect(try entry(try await desk.call()).id == ids[1])
            let before = try #require(try await line.queues.status(of: ids[0], in: line.queue.id))
            #expect(before.state == .released && before.deskState == nil)
            #expect(try entry(try await desk.serve()).deskState == nil)
            #expect(try await desk.serve() == .refused(.served))
            #expect(try await kinds(line) == ["JOIN Ann", "JOIN Bob", "CALL Ann", "RECALL Ann", "SERVE Ann", "CALL Bob", "SERVE Bob"])
            #expect(try await line.queues.events(line.queue.id, limit: 1).first?.desk == "Desk 3")
            calls = try await line.queues.calls(line.queue.id)
            #expect(calls.map(\.entry.id) == [ids[1]])
            #expect(try await line.queues.calls(line.queue.id, shown: .zero).isEmpty)
        }
    }

    @Test("a no-show can be put back, at the place they had, and then owes no callback")
    func noShow() async throws {
        try await Line.with { line in
            let ids = try await join(line, "Ann", "Bob", "Cay")
            let desk = line.queues.desk("1", of: line.queue.id)
            _ = try await desk.call()
            #expect(try entry(try await desk.noShow()).deskState == .noShow)
            #expect(try await desk.noShow(ids[0]) == .refused(.noShow))
            #expect(try await desk.serve(ids[0]) == .refused(.noShow))
            _ = try await desk.call()
            #expect(try entry(try await desk.return(ids[0])).position == 1)
            #expect(try await desk.return(ids[0]) == .refused(.waiting))
            #expect(try entry(try await desk.return(ids[1])).position == 2)
            #expect(try await waiting(line) == ["Ann", "Bob", "Cay"])
            #expect(try await released(line) == 0)
            #expect(try await line.redis.send(RedisCommand("ZCARD", .string(line.keys.outbox))).integer == 0)
            #expect(try await line.redis.send(RedisCommand("ZCARD", .string(line.keys.ready))).integer == 0)
            #expect(try await desk.return(.random()) == .nobody)
        }
    }

    @Test("undo takes back the last step of this desk, whatever it was, and once")
    func undo() async throws {
        try await Line.with { line in
            let ids = try await join(line, "Ann", "Bob")
            let desk = line.queues.desk("1", of: line.queue.id)
            #expect(try await desk.undo() == .nobody)
            _ = try await desk.call()
            _ = try await desk.call()
            // Bob waits again, and Ann, who was served by calling him, is at the desk.
            #expect(try entry(try await desk.undo()).id == ids[1])
            #expect(try await waiting(line) == ["Bob"])
            #expect(try await line.queues.status(of: ids[0], in: line.queue.id)?.deskState == .called)
            #expect(try await desk.undo() == .nobody)
            _ = try await desk.serve()
            #expect(try entry(try await desk.undo()).deskState == .called)
            _ = try await desk.noShow()
            #expect(try entry(try await desk.undo()).deskState == .called)
            _ = try await desk.return()
            #expect(try await waiting(line) == ["Ann", "Bob"])
            #expect(try entry(try await desk.undo()).deskState == .called)
            #expect(try await released(line) == 1)
            // Another desk knows nothing of it.
            #expect(try await line.queues.desk("2", of: line.queue.id).undo() == .nobody)
            _ = try await desk.serveNext()
            #expect(try entry(try await desk.undo()).state == .waiting)
            #expect(try await waiting(line) == ["Bob"])
        }
    }

    @Test("a step about somebody else leaves the one at the desk there")
    func others() async throws {
        try await Line.with { line in
            let ids = try await join(line, "Ann", "Bob", "Cay")
            let desk = line.queues.desk("1", of: line.queue.id)
            _ = try await desk.call()
            _ = try await desk.noShow()
            _ = try await desk.call()
            _ = try await desk.recall()
            _ = try await desk.return(ids[0])
            #expect(try await line.queues.calls(line.queue.id).map(\.times) == [2])
            #expect(try entry(try await desk.undo()).deskState == .noShow)
            _ = try await desk.transfer(ids[2], to: nil as ServiceType?)
            #expect(try entry(try await desk.recall()).id == ids[1])
            // Nobody is lost between two: a desk that is with somebody takes over nobody else.
            let other = line.queues.desk("2", of: line.queue.id)
            #expect(try entry(try await other.call()).id == ids[2])
            #expect(try await desk.recall(ids[2]) == .refused(.busy))
            _ = try await desk.return(ids[2])
            #expect(try await desk.undo() == .refused(.busy))
            #expect(try entry(try await desk.serve()).id == ids[1])
            _ = try await other.call()
            #expect(try entry(try await desk.recall(ids[2])).desk == "1")
            #expect(try await line.queues.calls(line.queue.id, shown: .zero).map(\.entry.desk) == ["1"])
        }
    }

    @Test("undo of what others have built on changes nothing")
    func undoTooLate() async throws {
        try await Line.with { line in
            let ids = try await join(line, "Ann")
            let one = line.queues.desk("1", of: line.queue.id)
            let two = line.queues.desk("2", of: line.queue.id)
            _ = try await one.call()
            _ = try await one.return()
            _ = try await two.call()
            #expect(try await one.undo() == .refused(.called))
            #expect(try await two.return().isDone)
            #expect(try await line.queues.cancel(ids[0], in: line.queue.id))
            #expect(try await two.undo() == .refused(.left))
        }
    }

    @Test("next can be asked for a service type: the first who wants it, and the others keep their order")
    func serviceTypes() async throws {
        try await Line.with { line in
            let queue = line.queue.id
            guard case .added(let general) = try await line.queues.addServiceType(code: "GEN", name: "General Inquiry", to: queue),
                case .added(let returns) = try await line.queues.addServiceType(code: "RET", name: "Returns", to: queue)
            else { throw CancellationError() }
            #expect(try await line.queues.addServiceType(code: "gen", name: "Other", to: queue) == .codeTaken)
            #expect(try await line.queues.serviceTypes(queue) == [general, returns])
            #expect(try await line.queues.serviceType(returns.id, of: queue) == returns)

            _ = try await join(line, "Ann", "Bob", type: general)
            let returning = try await join(line, "Cay", "Dan", "Eve", type: returns)
            _ = try await join(line, "Fay")
            let desk = line.queues.desk("R", of: queue)
            let called = try entry(try await desk.call(serviceType: returns.id))
            #expect(called.name == "Cay" && called.serviceType == returns)
            #expect(try await line.queues.cancel(returning[1], in: queue))
            #expect(try entry(try await desk.call(serviceType: returns.id)).name == "Eve")
            #expect(try entry(try await desk.return()).position == 3)
            #expect(try await waiting(line) == ["Ann", "Bob", "Eve", "Fay"])
            #expect(try entry(try await desk.call(serviceType: returns.id)).name == "Eve")
            #expect(try await desk.call(serviceType: returns.id) == .nobody)
            #expect(try await desk.call(serviceType: .random()) == .nobody)

            // Moving on to another type keeps the place, from the line and from the desk.
            let ann = try #require(try await line.queues.list(queue, states: [.waiting], skip: 0, limit: 1).first)
            #expect(try entry(try await desk.transfer(ann.id, to: returns)).position == 1)
            #expect(try await desk.undo().isDone)
            #expect(try await line.queues.status(of: ann.id, in: queue)?.serviceType == general)
            _ = try await desk.call(serviceType: general.id)
            #expect(try entry(try await desk.transfer(to: nil as ServiceType?)).serviceType == nil)
            #expect(try entry(try await desk.undo()).deskState == .called)
            #expect(try await waiting(line) == ["Bob", "Fay"])

            #expect(try await line.queues.deleteServiceType(general.id, of: queue))
            #expect(try await !line.queues.deleteServiceType(general.id, of: queue))
            #expect(try entry(try await desk.call(serviceType: general.id)).name == "Bob")
            #expect(try await line.redis.send(RedisCommand("ZCARD", .string(line.keys.typed))).integer == 0)
        }
    }

    @Test("a transfer to another queue is found from the old place, arrives once, and can be taken back to it")
    func transfer() async throws {
        try await Line.with { line in
            let other = try #require(try await line.queues.create(tenant: line.tenant.id, name: "Billing"))
            _ = try await join(line, "Zoe", queue: other)
            let ids = try await join(line, "Ann", "Bob")
            let desk = line.queues.desk("1", of: line.queue.id)
            _ = try await desk.call()
            #expect(try entry(try await desk.transfer(to: other)).deskState == .transferred)
            for _ in 0..<2 { try await line.queues.completeTransfers(from: line.queue.id) }
            let there = try #require(try await line.queues.currentStatus(of: ids[0], in: line.queue.id))
            #expect(there.queue == other.id && there.name == "Ann" && there.position == 2)
            #expect(try await line.redis.send(RedisCommand("HLEN", .string(line.keys.transfers))).integer == 0)

            let back = try entry(try await desk.undo())
            #expect(back.id == ids[0] && back.position == 1)
            #expect(try await waiting(line) == ["Ann", "Bob"])
            #expect(try await released(line) == 0)
            #expect(try await line.queues.currentStatus(of: there.id, in: other.id)?.id == ids[0])

            // From the line, without having been called; called over there, it cannot be taken back.
            _ = try await desk.transfer(ids[1], to: other)
            let otherDesk = line.queues.desk("9", of: other.id)
            _ = try await otherDesk.call()
            #expect(try entry(try await otherDesk.call()).name == "Bob")
            #expect(try await desk.undo() == .refused(.called))
            #expect(try await waiting(line) == ["Ann"])
        }
    }

    @Test("a transfer whose caller died is completed by a sweep's word, and a late repetition does nothing")
    func transferInterrupted() async throws {
        try await Line.with { line in
            let other = try #require(try await line.queues.create(tenant: line.tenant.id, name: "Billing"))
            let id = try await join(line, "Ann")[0]
            let becomes = Identifier.random()
            let keys = line.keys
            _ = try await line.redis.evaluate(
                Scripts.handOver,
                keys: [
                    keys.waiting, keys.entries, keys.ready, keys.outbox, keys.counters, keys.days, keys.durations, keys.desks, keys.typed,
                    keys.events, keys.transfers, keys.callbacks, keys.deadLetters, keys.visitors, keys.sessions,
                    keys.settings,
                ],
                arguments: ["1", .string(id.compact), .string("\(other.id.compact):\(becomes.compact)"), "to", ""])
            let owed = try #require(try await line.redis.send(RedisCommand("HGET", .string(keys.transfers), .string(id.compact))).string)
            #expect(try await line.queues.sweep(line.queue, cursor: 0, retentionHours: 1).transfers == 1)
            try await line.queues.completeTransfers(from: line.queue.id)
            #expect(try await line.queues.sweep(line.queue, cursor: 0, retentionHours: 1).transfers == 0)
            #expect(try await line.queues.currentStatus(of: id, in: line.queue.id)?.id == becomes)

            // Taken back, and then a worker that had stalled repeats what it read long ago.
            #expect(try await line.queues.desk("1", of: line.queue.id).undo().isDone)
            _ = try await line.redis.send(RedisCommand("HSET", .string(keys.transfers), .string(id.compact), .string(owed)))
            try await line.queues.completeTransfers(from: line.queue.id)
            #expect(try await waiting(line) == ["Ann"])
            #expect(try await line.queues.list(other.id, states: [.waiting], skip: 0, limit: 9).isEmpty)

            // Nor does it forget that they were sent on once more.
            _ = try await line.redis.send(RedisCommand("HSET", .string(keys.transfers), .string(id.compact), "newer"))
            let settled = try await line.redis.evaluate(
                Scripts.settleTransfer, keys: [keys.transfers], arguments: [.string(id.compact), .string(owed)])
            #expect(settled.integer == 0)
            #expect(try await line.redis.send(RedisCommand("HLEN", .string(keys.transfers))).integer == 1)
        }
    }

    @Test("website visitors can be called, as guests, but not moved")
    func visitors() async throws {
        try await Line.with { line in
            try await line.join("secret-7")
            let desk = line.queues.desk(of: line.queue.id)
            #expect(try entry(try await desk.call()).name == "Guest 1")
            #expect(try await desk.transfer(to: nil as ServiceType?) == .refused(.visitor))
            #expect(try await desk.transfer(to: line.queue) == .refused(.visitor))
            #expect(try await kinds(line) == ["CALL Guest 1"])
        }
    }

    @Test("leaving, silence and the queue's rate are events of a walk-in line too")
    func events() async throws {
        try await Line.with(rate: 60, change: { $0.waitTTLSeconds = 60 }) { line in
            let ids = try await join(line, "Ann", "Bob", "Cay")
            #expect(try await line.queues.cancel(ids[1], in: line.queue.id))
            #expect(try await line.queues.release(line.queue.id).people.count == 1)
            let last = try #require(try await line.queues.status(of: ids[2], in: line.queue.id))
            try await line.silence(.init(entry: last, token: "", isNew: false), seconds: 500)
            #expect(try await line.queues.sweep(line.queue, cursor: 0, retentionHours: 1).expired == 1)
            #expect(try await kinds(line) == ["JOIN Ann", "JOIN Bob", "JOIN Cay", "CANCEL Bob", "SERVE Ann", "EXPIRE Cay"])
            let day = try #require(try await line.queues.events(line.queue.id, limit: 1).first).time.day
            let first = try await line.queues.events(line.queue.id, day: day, limit: 4)
            #expect(first.map(\.kind) == ["JOIN", "JOIN", "JOIN", "CANCEL"])
            let rest = try await line.queues.events(line.queue.id, day: day, after: first.last?.id, limit: 4)
            #expect(rest.map(\.kind) == ["SERVE", "EXPIRE"])
            #expect(try await line.queues.events(line.queue.id, day: day - 1, limit: 4).isEmpty)
        }
    }

    @Test("the stream of events is bounded")
    func boundedEvents() async throws {
        try await Line.with { line in
            let fill = "for i = 1, 60000 do redis.call('XADD', KEYS[1], '*', 't', 'JOIN', 'u', '', 'n', '', 'c', '', 'd', '', 'm', '') end"
            _ = try await line.redis.send(RedisCommand("EVAL", .string(fill), 1, .string(line.keys.events)))
            _ = try await join(line, "Ann")
            let length = try #require(try await line.redis.send(RedisCommand("XLEN", .string(line.keys.events))).integer)
            #expect(length >= 50_000 && length < 51_000)
        }
    }

    @Test("a place whose record is lost holds nobody up")
    func lost() async throws {
        try await Line.with { line in
            let first = try await line.join("a")
            try await line.join("b")
            try await line.forgetRecord(first)
            #expect(try entry(try await line.queues.desk(of: line.queue.id).serveNext()).visitor == "b")
        }
    }

    @Test("no step keeps more than 200 desks, and the one at work is never forgotten")
    func manyNames() async throws {
        try await Line.with { line in
            let ids = try await join(line, "Ann", "Bob")
            #expect(try entry(try await line.queues.desk("0", of: line.queue.id).call()).name == "Ann")
            for number in 1...250 {
                let desk = line.queues.desk("\(number)", of: line.queue.id)
                #expect(try entry(try await desk.noShow(ids[0])).name == "Ann")
                #expect(try entry(try await desk.return(ids[0])).name == "Ann")
                #expect(try entry(try await desk.call()).name == "Ann")
            }
            #expect(try await line.redis.send(RedisCommand("HLEN", .string(line.keys.desks))).integer == 200)
            #expect(try entry(try await line.queues.desk("250", of: line.queue.id).serve()).name == "Ann")
        }
    }

    @Test("of somebody who is put back into the line nothing is kept of a callback that failed")
    func failedCallback() async throws {
        try await Line.with { line in
            let desk = line.queues.desk(of: line.queue.id)
            _ = try await join(line, "Ann")
            for isDead in [false, true] {
                _ = try entry(try await desk.call())
                let callback = try #require(
                    try await line.callbacks.claim(line.queue.id, limit: 1, lease: .seconds(60)).callbacks.first)
                #expect(callback.attempts == 0)
                let outcome: Callbacks.Outcome =
                    isDead ? .dead(error: "HTTP 500", status: 500) : .retry(delay: .seconds(60), error: "HTTP 500", status: 500)
                #expect(try await line.callbacks.settle(callback, tenant: line.tenant.id, outcome))
                if isDead { #expect(try await line.callbacks.resend([callback.entry], of: line.queue.id) == 1) }
                _ = try entry(try await desk.return())
            }
            for key in [line.keys.outbox, line.keys.callbacks, line.keys.dead, line.keys.deadLetters] {
                #expect(try await line.redis.send(RedisCommand("EXISTS", .string(key))).integer == 0, "\(key)")
            }

            // Given up, put back, called again and delivered: no dead letter is left.
            for outcome in [Callbacks.Outcome.dead(error: "HTTP 500", status: 500), .delivered(status: 200)] {
                _ = try entry(try await desk.call())
                let callback = try #require(
                    try await line.callbacks.claim(line.queue.id, limit: 1, lease: .seconds(60)).callbacks.first)
                #expect(try await line.callbacks.settle(callback, tenant: line.tenant.id, outcome))
                if case .dead = outcome { _ = try entry(try await desk.return()) }
            }
            for key in [line.keys.dead, line.keys.deadLetters] {
                #expect(try await line.redis.send(RedisCommand("EXISTS", .string(key))).integer == 0, "\(key)")
            }
        }
    }

    @Test("64 desks over 5,000 people: each called once, first come first served within each service type")
    func manyDesks() async throws {
        try await Line.with { line in
            var types: [ServiceType] = []
            for code in ["A", "B", "C", "D"] {
                if case .added(let type) = try await line.queues.addServiceType(code: code, name: code, to: line.queue.id) {
                    types.append(type)
                }
            }
            let kinds = types
            let people = 5000
            for number in 0..<people { _ = try await join(line, "\(number)", type: kinds[number % 4]) }
            let called = try await withThrowingTaskGroup(of: [(sequence: Int64, type: String)].self) { group in
                for number in 0..<64 {
                    group.addTask {
                        let desk = line.queues.desk("\(number)", of: line.queue.id)
                        // Half of the desks take whoever is next, the others one service type each.
                        let wanted = number % 2 == 0 ? nil : kinds[number / 2 % 4].id
                        var mine: [(Int64, String)] = []
                        while case .done(let entry) = try await desk.call(serviceType: wanted) {
                            mine.append((entry.sequence, entry.serviceType?.code ?? ""))
                        }
                        return mine
                    }
                }
                return try await group.reduce(into: [[(sequence: Int64, type: String)]]()) { $0.append($1) }
            }
            #expect(called.flatMap { $0 }.count == people)
            #expect(Set(called.flatMap { $0 }.map(\.sequence)).count == people)
            // What one desk sees of a type, and what the stream of events saw of all desks, is in the order of joining.
            for desk in called {
                for type in kinds {
                    let sequences = desk.filter { $0.type == type.code }.map(\.sequence)
                    #expect(sequences == sequences.sorted())
                }
            }
            var order: [String: [Int]] = [:]
            var events = try await line.queues.events(line.queue.id, day: Timestamp.now().day, limit: 1000)
            while let last = events.last {
                for event in events where event.kind == "CALL" { order[event.serviceTypeCode, default: []].append(Int(event.name) ?? -1) }
                events = try await line.queues.events(line.queue.id, day: last.time.day, after: last.id, limit: 1000)
            }
            #expect(order.values.map(\.count).reduce(0, +) == people)
            for (_, names) in order { #expect(names == names.sorted()) }
        }
    }
}

extension DeskStep {
    var isDone: Bool { if case .done = self { true } else { false } }
}
