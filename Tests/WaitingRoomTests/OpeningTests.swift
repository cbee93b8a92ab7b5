import Crypto
import Logging
import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("Openings: opening.lua, Shuffle")
struct OpeningTests {
    private static func with(
        in seconds: Int = 60, _ change: @Sendable @escaping (inout Queue) -> Void = { _ in },
        _ body: @Sendable @escaping (Line) async throws -> Void
    ) async throws {
        let opensAt = Timestamp.now().adding(seconds: seconds)
        try await Line.with(
            rate: 60_000,
            change: {
                $0.opensAt = opensAt
                change(&$0)
            }, body)
    }

    /// Moves the opening into the past.
    private static func open(_ line: Line) async throws -> Queue {
        var queue = try #require(try await line.queues.get(line.queue.id))
        let before = queue
        queue.opensAt = .now().adding(milliseconds: -1)
        #expect(try await line.queues.update(queue, from: before))
        return try #require(try await line.queues.get(queue.id))
    }

    private static func released(_ line: Line) async throws -> [Identifier] {
        var released: [Identifier] = []
        while true {
            try await line.bucket(tokens: 1000, seconds: 0)
            let step = try await line.queues.release(line.queue.id)
            released += step.people.map(\.entry)
            if step.stillWaiting == 0 { return released }
        }
    }

    @Test("nobody goes before the opening; then those who were there by lot, then the later ones as they came")
    func shuffled() async throws {
        try await Self.with { line in
            var early: [Identifier] = []
            for index in 0..<300 { early.append(try await line.join("v\(index)").entry.id) }
            try await line.bucket(tokens: 1000, seconds: 0)
            let before = try await line.queues.release(line.queue.id)
            #expect(before.people.isEmpty)
            let pause = try #require(before.nextToken)
            #expect(pause > .seconds(50))
            #expect(try await line.queues.shuffle(of: line.queue).seed == nil)

            let queue = try await Self.open(line)
            var late: [Identifier] = []
            for index in 0..<20 { late.append(try await line.join("late\(index)").entry.id) }
            let released = try await Self.released(line)
            #expect(Array(released.suffix(20)) == late)
            #expect(released != early + late)

            // Anybody can tell the places from what is published.
            let shuffle = try await line.queues.shuffle(of: queue)
            let seed = try #require(shuffle.seed)
            #expect(shuffle.count == 300)
            func hex(_ text: String) -> String {
                SHA256.hash(data: Array(text.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            }
            #expect(queue.shuffleCommitment == hex(seed) && line.queue.shuffleCommitment == queue.shuffleCommitment)
            #expect(Array(released.prefix(300)) == early.sorted { hex("\(seed):\($0)").prefix(12) < hex("\(seed):\($1)").prefix(12) })
        }
    }

    @Test("in the order of joining, places are told at once")
    func fifo() async throws {
        try await Self.with {
            $0.preQueueOrder = .fifo
        } _: { line in
            var early: [Identifier] = []
            for index in 0..<30 {
                let joined = try await line.join("v\(index)")
                #expect(joined.entry.position == index + 1)
                early.append(joined.entry.id)
            }
            _ = try await Self.open(line)
            #expect(try await Self.released(line) == early)
        }
    }

    @Test("who joined before there was an opening stays in front of those who are drawn")
    func earlierLine() async throws {
        try await Line.with(rate: 60_000) { line in
            var queue = line.queue
            let first = try await line.join("first").entry.id
            queue.opensAt = .now().adding(seconds: 60)
            #expect(try await line.queues.update(queue, from: line.queue))
            var drawn: Set<Identifier> = []
            // One whose gateway has not heard of the opening is drawn, too.
            for known in [line.queue, queue] {
                for index in 0..<20 {
                    let joined = try await line.queues.join(.init(queue: known, visitor: "v\(index)"))
                    drawn.insert(try #require(joined).entry.id)
                }
            }
            _ = try await Self.open(line)
            let last = try await line.join("last").entry.id
            let released = try await Self.released(line)
            #expect(released.first == first && released.last == last && Set(released.dropFirst().dropLast()) == drawn)
        }
    }

    @Test("a place that is drawn is found again by its proof, kept by a sign of life, and given back after a loss")
    func again() async throws {
        try await Self.with { line in
            for index in 0..<50 { try await line.join("v\(index)") }
            let mine = try await line.join("me", key: "1")
            #expect(try await line.join("me", key: "1").entry.sequence == mine.entry.sequence)
            let place = try #require(try await line.status(mine)?.position)
            let signs = SignsOfLife(queues: line.queues, views: QueueViews(queues: line.queues), logger: .init(label: "test"))
            signs.note(try line.ticket(mine))
            await signs.write()
            #expect(try await line.status(mine)?.position == place)
            _ = try await line.redis.send(RedisCommand("ZREM", .string(line.keys.waiting), .string(mine.entry.id.compact)))
            _ = try await line.redis.send(RedisCommand("HDEL", .string(line.keys.entries), .string(mine.entry.id.compact)))
            #expect(try await line.queues.restore(try line.ticket(mine)) == .waiting)
            #expect(try await line.queues.status(of: mine.entry.id, in: line.queue.id)?.position == place)
        }
    }

    @Test("after a loss a place that was drawn is told as it stood before, however few have come back")
    func loss() async throws {
        try await Self.with { line in
            var joined: [Queues.Joined] = []
            for index in 0..<60 { joined.append(try await line.join("v\(index)")) }
            let opened = try await Self.open(line)
            try await line.bucket(tokens: 10, seconds: 0)
            var places: [Int] = []
            let views = QueueViews(queues: line.queues)
            let first = try await line.queues.release(line.queue.id)
            #expect(!first.people.isEmpty)
            try await views.fetch(opened)
            for one in joined { places.append(try #require(try await line.status(one)).position) }
            _ = try await line.redis.send(RedisCommand("FLUSHALL"))
            for (one, place) in zip(joined, places) where place > 0 {
                let told = try #require(try await line.status(one)).position
                #expect(told == place)
            }
            // A gateway that has just started knows no view.
            let other = Queues(redis: line.redis, secret: line.secret)
            for one in joined {
                let told = try await other.status(try line.ticket(one))?.position ?? 0
                #expect(told <= 60)
            }
        }
    }

    @Test("two with the same lot: the later one stands behind the earlier one")
    func sameLot() async throws {
        try await Self.with { line in
            let request = Queues.JoinRequest(queue: line.queue, visitor: "v")
            var sequences: [Int64] = []
            for lot in [1 << 30, 1 << 30, 1 << 30, (1 << 48) - 1, (1 << 48) - 1] as [Int64] {
                let reply = try await line.redis.evaluate(
                    Scripts.enter, keys: request.scriptKeys,
                    arguments: [
                        .string(Identifier.random().compact), .string(Identifier.random().compact), "v", "", 0, "", .integer(lot),
                        .integer(lot), 1, 0, 0, 0, 0, 0, 0,
                    ])
                sequences.append(try #require(reply.array?[2].integer))
            }
            #expect(sequences[1] == sequences[0] + 1 && sequences[2] == sequences[0] + 2)
            // Behind the last number comes the first that is free.
            #expect(Set(sequences).count == 5 && sequences[4] < sequences[0])
            #expect(try await line.statistics().total.joined == 5)
        }
    }

    @Test("a lot that was drawn for another opening gives no place: the caller draws again")
    func lotOfAnotherOpening() async throws {
        try await Line.with(change: { $0.opensAt = .now().adding(seconds: -60) }) { line in
            var queue = line.queue
            queue.opensAt = .now().adding(seconds: 3600)
            #expect(try await line.queues.update(queue, from: line.queue))
            let now = try #require(try await line.queues.get(queue.id))
            #expect(now.opening == line.queue.opening + 1)
            // This one has not heard of it.
            let joined = try #require(try await line.queues.join(.init(queue: line.queue, visitor: "v")))
            let slots = try await line.queues.shuffle(of: now).slots
            let lot = line.queues.shuffles.shuffleOrAnother(of: now).lot(of: joined.entry.id)
            let from = try await line.redis.send(RedisCommand("HGET", .string(line.keys.counters), "draw_from")).integer ?? 0
            #expect(joined.entry.sequence == from + 1 + Int64(Double(lot) * Double(slots) / Double(Int64(1) << 48)))
        }
    }

    @Test("an opening that is put off keeps its lots; the one after it has others")
    func next() async throws {
        try await Self.with { line in
            var queue = line.queue
            queue.opensAt = .now().adding(seconds: 120)
            #expect(try await line.queues.update(queue, from: line.queue))
            let later = try #require(try await line.queues.get(queue.id))
            #expect(later.shuffleCommitment == line.queue.shuffleCommitment && later.opening == 1)
            let opened = try await Self.open(line)
            #expect(opened.shuffleCommitment == line.queue.shuffleCommitment)
            var next = opened
            next.opensAt = .now().adding(seconds: 600)
            #expect(try await line.queues.update(next, from: opened))
            let second = try #require(try await line.queues.get(queue.id))
            #expect(second.opening == 2 && second.shuffleCommitment != opened.shuffleCommitment)
            #expect(try await line.queues.shuffle(of: second).seed == nil)
            try await line.join("a")
            #expect(try await line.queues.shuffle(of: second).count == 1)
            // Taken away, they go in now, and the lots are no secret any more; the next opening has others.
            var none = second
            none.opensAt = nil
            #expect(try await line.queues.update(none, from: second))
            let open = try #require(try await line.queues.get(queue.id))
            #expect(try await line.queues.shuffle(of: open).seed != nil && open.opening == 2)
            var third = open
            third.opensAt = .now().adding(seconds: 600)
            #expect(try await line.queues.update(third, from: open))
            #expect(try await line.queues.get(queue.id)?.opening == 3)
        }
    }

    @Test("from its closing on nobody joins; those in line are let in, and passing through does not wait for the opening")
    func closing() async throws {
        try await Self.with {
            $0.closesAt = .now().adding(seconds: 3600)
        } _: { line in
            try await line.join("a")
            var queue = line.queue
            queue.state = .passthrough
            #expect(try await line.queues.update(queue, from: line.queue))
            #expect(try await line.queues.release(queue.id).people.count == 1)
            #expect(try await line.join("b").wentIn)
            queue.closesAt = .now().adding(milliseconds: -1)
            #expect(try await line.queues.update(queue, from: line.queue))
            for known in [line.queue, queue] {
                let joined = try await line.queues.join(.init(queue: known, visitor: "c"))
                #expect(joined == nil)
            }
        }
    }

    @Test("lots are spread evenly, and differ from queue to queue, from opening to opening and from secret to secret")
    func lots() throws {
        let shuffles = Shuffles(SecretKey(String(repeating: "a", count: 32))!)
        let queue = Identifier.random()
        let seeds = [
            shuffles.commitment(to: 1, of: queue), shuffles.commitment(to: 2, of: queue), shuffles.commitment(to: 1, of: .random()),
            Shuffles(SecretKey(String(repeating: "b", count: 32))!).commitment(to: 1, of: queue),
        ]
        #expect(Set(seeds).count == 4)
        let shuffle = Shuffle(seed: "seed")
        let lots = (0..<10_000).map { _ in shuffle.lot(of: .random()) }
        #expect(lots.allSatisfy { (0..<(1 << 48)).contains($0) })
        let lower = lots.count { $0 < 1 << 47 }
        #expect((4700...5300).contains(lower))
    }
}
