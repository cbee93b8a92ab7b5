import Logging
import NIOCore
import NIOPosix
import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("What Redis has lost: loss.lua, restore-12.lua, remember_released-12.lua, touch-2.lua")
struct LossTests {
    /// Redis as it was at one moment, to be put back as a failover or a backup would.
    private struct Backup {
        let keys: [(key: String, value: RedisValue)]

        init(_ line: Line) async throws {
            var keys: [(String, RedisValue)] = []
            for key in (try await line.redis.send(RedisCommand("KEYS", "*")).array ?? []).compactMap(\.string) {
                keys.append((key, try await line.redis.send(RedisCommand("DUMP", .string(key)))))
            }
            self.keys = keys
        }

        func restore(_ line: Line) async throws {
            _ = try await line.redis.send(RedisCommand("FLUSHALL"))
            for (key, value) in keys {
                guard case .bulk(let bytes) = value else { continue }
                _ = try await line.redis.send(RedisCommand("RESTORE", .string(key), 0, .bytes(bytes)))
            }
        }
    }

    private func flush(_ line: Line) async throws { _ = try await line.redis.send(RedisCommand("FLUSHALL")) }

    /// Lets in whoever is due after a loss, without a wait.
    private func release(_ line: Line, tokens: Double = 1) async throws -> Release {
        try await line.bucket(tokens: tokens, seconds: 0)
        return try await line.queues.release(line.queue.id, rebuildSeconds: 0)
    }

    @Test("everything is gone: who polls gets the old place back, whoever comes first, and newcomers stand behind them")
    func everythingGone() async throws {
        try await Line.with { line in
            var joined: [Queues.Joined] = []
            for index in 0..<5 { joined.append(try await line.join("v\(index)")) }
            try await flush(line)
            let newcomer = try await line.join("newcomer")
            #expect(newcomer.entry.sequence > joined[4].entry.sequence)
            for index in [3, 0, 4, 2, 1] {
                let status = try #require(try await line.status(joined[index]))
                #expect(status.state == .waiting)
                #expect(status.sequence == joined[index].entry.sequence)
                #expect(status.joined == joined[index].entry.joined)
                #expect(status.visitor == "v\(index)")
            }
            for index in 0..<5 {
                let position = try await line.status(joined[index])?.position
                #expect(position == index + 1)
            }
            let last = try await line.status(newcomer)?.position
            #expect(last == 6)
            let statistics = try await line.statistics()
            #expect(statistics.total.joined == 6)
            let figures = try #require(try await line.queues.figures(of: line.queue.id, waits: .thisHour))
            #expect(figures.restored == 5)
            #expect(figures.lostAt != nil)
        }
    }

    @Test("nobody is let in until the rebuild window is over, and then in the order of the tickets")
    func window() async throws {
        try await Line.with(rate: 6000) { line in
            var joined: [Queues.Joined] = []
            for index in 0..<6 { joined.append(try await line.join("v\(index)")) }
            try await flush(line)
            for index in [5, 1, 3] { _ = try await line.status(joined[index]) }
            let held = try await line.queues.release(line.queue.id, rebuildSeconds: 2)
            #expect(held.people.isEmpty)
            #expect(held.stillWaiting == 3)
            let left = try #require(held.nextToken)
            #expect(left > .zero && left <= .seconds(2))
            for index in [4, 0, 2] { _ = try await line.status(joined[index]) }
            let again = try await line.queues.release(line.queue.id, rebuildSeconds: 2)
            #expect(again.people.isEmpty)
            var released: [Int64] = []
            try await eventually("everyone is let in") {
                released += try await line.queues.release(line.queue.id, rebuildSeconds: 2).people.map(\.sequence)
                return released.count == 6
            }
            #expect(released == joined.map(\.entry.sequence))
        }
    }

    @Test("who comes back after the window has a place all the same, and opens no other window")
    func late() async throws {
        try await Line.with(rate: 60) { line in
            let joined = try await line.join("early")
            let late = try await line.join("late")
            try await flush(line)
            _ = try await line.status(joined)
            let before = try await line.redis.send(RedisCommand("HGET", .string(line.keys.counters), "lost_at")).string
            let position = try await line.status(late)?.position
            #expect(position == 2)
            let after = try await line.redis.send(RedisCommand("HGET", .string(line.keys.counters), "lost_at")).string
            #expect(before == after)
            let losses = try await line.redis.send(RedisCommand("HGET", .string(line.keys.counters), "losses")).integer
            #expect(losses == 1)
        }
    }

    @Test("while people come back nobody is told a place that will rise, neither they nor newcomers")
    func places() async throws {
        try await Line.with { line in
            var joined: [Queues.Joined] = []
            for index in 0..<8 { joined.append(try await line.join("v\(index)")) }
            for _ in 0..<3 { try await line.releaseOne() }
            try await flush(line)
            _ = try await line.queues.get(line.queue.id)
            #expect(try await line.queues.release(line.queue.id).foundLoss)
            // The last first.
            for index in (3..<8).reversed() {
                let position = try await line.status(joined[index])?.position
                #expect(position == index - 2)
            }
            let newcomer = try await line.join("newcomer")
            #expect(newcomer.entry.position == 6)
        }
    }

    @Test("one who knows of nobody gives the queue back: newcomers come behind the lost, and their places are of people")
    func unknown() async throws {
        try await Line.with { line in
            var joined: [Queues.Joined] = []
            for index in 0..<4 { joined.append(try await line.join("v\(index)")) }
            let memory = CatalogueMemory()
            let other = Queues(redis: line.redis, secret: line.secret, memory: memory)
            _ = try await other.get(line.queue.id)
            try await line.releaseOne()
            try await flush(line)
            _ = try await other.get(line.queue.id)
            #expect(try await line.queues.release(line.queue.id).foundLoss)
            let newcomer = try await line.join("newcomer")
            #expect(newcomer.entry.sequence > joined[3].entry.sequence)
            _ = try await line.status(joined[3])
            #expect(try await line.status(newcomer)?.position == 4)
            #expect(try await line.status(joined[3])?.position == 3)
        }
    }

    @Test("who had been let in is let in as of then, when a worker remembers it: without the rate, with the callback owed")
    func remembered() async throws {
        try await Line.with { line in
            var joined: [Queues.Joined] = []
            for index in 0..<4 { joined.append(try await line.join("v\(index)")) }
            try await line.releaseOne()
            try await line.releaseOne()
            let before = try #require(try await line.status(joined[1]))
            try await flush(line)
            // One comes back before the worker has told.
            let early = try await line.status(joined[0])
            #expect(early?.state == .waiting)
            let found = try await line.queues.release(line.queue.id)
            #expect(found.foundLoss)
            #expect(found.people.isEmpty)
            let again = try await line.queues.rememberReleased(line.queue.id)
            #expect(again == 1)
            for index in 0..<2 {
                let status = try #require(try await line.status(joined[index]))
                #expect(status.state == .released)
                if index == 1 { #expect(status.finished == before.finished) }
            }
            for index in 2..<4 {
                let status = try await line.status(joined[index])
                #expect(status?.position == index - 1)
            }
            let owed = try await line.redis.send(RedisCommand("ZCARD", .string(line.keys.outbox))).integer
            #expect(owed == 2)
            // Telling it again changes nothing, and the loss is found once.
            let repeated = try await line.queues.rememberReleased(line.queue.id)
            #expect(repeated == 0)
            let next = try await line.queues.release(line.queue.id)
            #expect(!next.foundLoss)
        }
    }

    @Test("a worker learns whom those before it have let in, and tells of them after they have died")
    func learned() async throws {
        try await Line.with { line in
            var joined: [Queues.Joined] = []
            for index in 0..<6 { joined.append(try await line.join("v\(index)")) }
            let successor = Queues(redis: line.redis, secret: line.secret, rebuildSeconds: 2)
            try await line.releaseOne()
            try await successor.learnReleases(of: line.queue.id)
            try await line.releaseOne()
            try await line.releaseOne()
            try await successor.learnReleases(of: line.queue.id)
            try await successor.learnReleases(of: line.queue.id)
            _ = try await successor.release(line.queue.id)
            let before = try #require(try await line.status(joined[1]))
            try await flush(line)
            for index in [4, 1, 0, 2, 3] { _ = try await line.status(joined[index]) }
            try await successor.tellOfLosses()
            for index in 0..<5 {
                let status = try #require(try await line.status(joined[index]))
                #expect(status.state == (index < 3 ? .released : .waiting))
                if index == 1 { #expect(status.finished == before.finished) }
            }
        }
    }

    @Test("a lost tail: newcomers come behind the lost, and the people let in meanwhile are let in again as of then")
    func lostTail() async throws {
        try await Line.with { line in
            var joined: [Queues.Joined] = []
            for index in 0..<3 { joined.append(try await line.join("v\(index)")) }
            let backup = try await Backup(line)
            for index in 3..<6 { joined.append(try await line.join("v\(index)")) }
            try await line.releaseOne()
            let released = try #require(try await line.status(joined[0]))
            try await backup.restore(line)
            let newcomer = try await line.join("newcomer")
            #expect(newcomer.entry.sequence > joined[5].entry.sequence)
            #expect(try await line.queues.release(line.queue.id).foundLoss)
            let again = try await line.queues.rememberReleased(line.queue.id)
            #expect(again == 1)
            let now = try #require(try await line.status(joined[0]))
            #expect(now.state == .released && now.finished == released.finished)
            for index in [5, 3, 4] { _ = try await line.status(joined[index]) }
            for index in 1..<6 {
                let position = try await line.status(joined[index])?.position
                #expect(position == index)
            }
            let last = try await line.status(newcomer)?.position
            #expect(last == 6)
            let statistics = try await line.statistics()
            #expect(statistics.total.joined == 7)
        }
    }

    @Test("signs of life tell of a lost tail before anybody joins or is let in")
    func signsOfLife() async throws {
        try await Line.with(rate: 6000) { line in
            _ = try await line.join()
            let backup = try await Backup(line)
            let lost = try await line.join()
            try await backup.restore(line)
            // A gateway that knows nothing but the ticket that it sees.
            let gateway = Queues(redis: line.redis, secret: line.secret)
            let signs = SignsOfLife(queues: gateway, views: QueueViews(queues: gateway), logger: .init(label: "test"))
            signs.note(try line.ticket(lost))
            await signs.write()
            let other = Queues(redis: line.redis, secret: line.secret)
            let release = try await other.release(line.queue.id)
            #expect(release.people.isEmpty)
            #expect(release.stillWaiting == 1)
        }
    }

    @Test(
        "who joins right after Redis is back stands behind those of whom only another gateway knows",
        arguments: [Queue.Activation.always, .threshold])
    func reunion(activation: Queue.Activation) async throws {
        try await Line.with(change: { $0.activation = activation }) { line in
            let backup = try await Backup(line)
            let lost = try await line.join()
            try await backup.restore(line)
            _ = try? await line.redis.send(RedisCommand("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"))
            try await eventually("Redis is back") { line.redis.returned != nil && line.redis.isAvailable }
            let other = Queues(redis: line.redis, secret: line.secret)
            let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
            async let one = other.join(Queues.JoinRequest(queue: line.queue, visitor: "one"))
            async let two = eventLoop.flatSubmit { other.join(Queues.JoinRequest(queue: line.queue, visitor: "two"), on: eventLoop) }.get()
            try await QueueViews(queues: line.queues).fetch(line.queue)
            for newcomer in [try await one, try await two] {
                let sequence = try #require(newcomer?.entry.sequence)
                #expect(sequence > lost.entry.sequence)
            }
        }
    }

    @Test("who left, fell silent or was let in is not put back, nor who may have been forgotten since")
    func finished() async throws {
        try await Line.with { line in
            let left = try await line.join()
            let released = try await line.join()
            #expect(try await line.queues.cancel(try line.ticket(left)))
            try await line.releaseOne()
            for joined in [left, released] {
                let restored = try await line.queues.restore(try line.ticket(joined))
                #expect(restored == .nothing)
            }
            var old = try line.ticket(try await line.join())
            old = Ticket(
                queue: old.queue, entry: .random(), sequence: 1, joined: Timestamp(milliseconds: old.joined.milliseconds - 25 * 3_600_000),
                epoch: old.epoch, visitor: old.visitor)
            let restored = try await line.queues.restore(old)
            #expect(restored == .nothing)
            let statistics = try await line.statistics()
            #expect(statistics.waiting == 1)
        }
    }

    @Test("a ticket of another life of the queue, or of a deleted one, brings nobody back")
    func otherLife() async throws {
        try await Line.with { line in
            let ticket = try line.ticket(try await line.join())
            try await flush(line)
            let other = Ticket(
                queue: ticket.queue, entry: ticket.entry, sequence: ticket.sequence, joined: ticket.joined, epoch: 2, visitor: "v")
            #expect(try await line.queues.restore(other) == .nothing)
            #expect(try await line.queues.delete(line.queue.id, retentionHours: 1))
            #expect(try await line.queues.restore(ticket) == .nothing)
        }
    }

    @Test("joining again with the ticket of a lost place gives the place; with one of a place given up, a new one")
    func joinAgain() async throws {
        try await Line.with { line in
            let first = try await line.join("first")
            let second = try await line.join("second")
            try await flush(line)
            let again = try await line.join("second", token: second.token)
            #expect(!again.isNew)
            #expect(again.entry.id == second.entry.id)
            #expect(again.entry.sequence == second.entry.sequence)
            #expect(try await line.queues.cancel(try line.ticket(first)))
            let anew = try await line.join("first", token: first.token)
            #expect(anew.isNew)
            #expect(anew.entry.position == 2)
        }
    }

    @Test("a walk-in customer comes back with name and service type")
    func walkIn() async throws {
        try await Line.with { line in
            guard case .added(let type) = try await line.queues.addServiceType(code: "A", name: "Returns", to: line.queue.id) else {
                return #expect(Bool(false))
            }
            let request = Queues.JoinRequest(queue: line.queue, walkIn: WalkIn(name: "Ana", serviceType: type))
            let joined = try #require(try await line.queues.join(request))
            try await flush(line)
            let status = try #require(try await line.status(joined))
            #expect(status.visitor == joined.entry.visitor)
            let typed = try await line.redis.send(RedisCommand("ZCARD", .string(line.keys.typed))).integer
            #expect(typed == 1)
        }
    }

    @Test("who was let in is told though the loss was found out before the queue itself was back")
    func toldBeforeTheQueueIsBack() async throws {
        try await Line.with(rate: 6000) { line in
            let joined = try await line.join()
            _ = try await release(line)
            try await flush(line)
            // As a gateway notes it that knows of more than Redis does.
            let now = Timestamp.now().milliseconds
            _ = try await line.redis.send(
                RedisCommand("HSET", .string(line.keys.counters), "sequence", "100001", "lost_at", .integer(now)))
            try await line.queues.tellOfLosses()
            let status = try await line.status(joined)
            #expect(status?.state == .released)
        }
    }

    @Test("who was let in together is known to have been, though another worker knows of some of them only")
    func toldInParts() async throws {
        try await Line.with(rate: 6000) { line in
            var joined: [Queues.Joined] = []
            for index in 0..<12 { joined.append(try await line.join("v\(index)")) }
            let together = try await release(line, tokens: 12)
            #expect(together.people.count == 12)
            let finished = try #require(try await line.status(joined[0])?.finished)
            let other = Queues(redis: line.redis, secret: line.secret)
            other.memory.learned([3, 5, 6, 11].map { (joined[$0].entry.sequence, finished.milliseconds) }, of: line.queue.id)
            try await flush(line)
            try await line.queues.tellOfLosses()
            _ = try await other.get(line.queue.id)
            _ = try await other.rememberReleased(line.queue.id)
            for one in joined {
                let status = try await line.status(one)
                #expect(status?.state == .released && status?.finished == finished)
            }
        }
    }
}
