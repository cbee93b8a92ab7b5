import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("share-2.lua, beat-1.lua")
struct QueueLockTests {
    private func locks(_ line: Line, _ worker: String, life: Int = 60_000) -> QueueLocks {
        QueueLocks(redis: line.redis, worker: worker, lifeMilliseconds: life)
    }

    /// `queues` in each of the shards from 0.
    private func sizes(_ queues: Int...) -> [UInt8: Int] {
        Dictionary(queues.enumerated().map { (UInt8($0.offset), $0.element) }) { $1 }
    }

    /// Each of `workers` shares once.
    private func round(_ workers: [QueueLocks], _ sizes: [UInt8: Int]) async throws -> [Set<UInt8>] {
        var shares: [Set<UInt8>] = []
        for worker in workers { shares.append(try await worker.share(sizes)) }
        return shares
    }

    @Test("one worker alone has all; each that comes gets its share; when one has left, the others have all after a round")
    func shared() async throws {
        try await Line.with { line in
            let sizes = sizes(1, 1, 1, 1, 1, 1)
            let (a, b, c) = (locks(line, "a"), locks(line, "b"), locks(line, "c"))
            #expect(try await a.share(sizes) == Set(sizes.keys))
            #expect(try await b.share(sizes).count == 3)
            _ = try await c.share(sizes)
            let shares = try await round([a, b, c], sizes)
            #expect(shares.map(\.count) == [2, 2, 2])
            #expect(shares.reduce(into: Set()) { $0.formUnion($1) } == Set(sizes.keys))
            try await b.leave()
            let rest = try await round([a, c], sizes)
            #expect(rest.map(\.count) == [3, 3])
            #expect(rest[0].union(rest[1]) == Set(sizes.keys))
            #expect(try await round([a, c], sizes) == rest)
        }
    }

    @Test("ten workers have like numbers of ten thousand queues, and none of another's")
    func even() async throws {
        try await Line.with { line in
            var sizes: [UInt8: Int] = [:]
            for _ in 0..<10_000 { sizes[QueueLocks.shard(of: .random()), default: 0] += 1 }
            let workers = (0..<10).map { locks(line, "worker \($0)") }
            var shares: [Set<UInt8>] = []
            for _ in 0..<8 { shares = try await round(workers, sizes) }
            #expect(shares.reduce(0) { $0 + $1.count } == 256)
            let queues = shares.map { $0.reduce(0) { $0 + sizes[$1]! } }
            #expect(queues.reduce(0, +) == 10_000)
            #expect(Double(queues.max()!) <= 1.05 * Double(queues.min()!), "\(queues)")
            #expect(try await round(workers, sizes) == shares)
        }
    }

    @Test("shards of unlike sizes are all had, and no worker has more than it must")
    func unlike() async throws {
        try await Line.with { line in
            let sizes = sizes(9, 1, 1, 1, 1, 1)
            let (a, b) = (locks(line, "a"), locks(line, "b"))
            for _ in 0..<3 { _ = try await round([a, b], sizes) }
            let shares = try await round([a, b], sizes).map { $0.reduce(0) { $0 + sizes[$1]! } }
            #expect(shares.sorted() == [5, 9])
        }
    }

    @Test("the locks of a worker that died are taken before their life is over")
    func expires() async throws {
        try await Line.with { line in
            let (dead, living) = (locks(line, "a", life: 800), locks(line, "b", life: 800))
            let began = ContinuousClock.now
            #expect(try await dead.share(sizes(1, 1)).count == 2)
            #expect(try await living.share(sizes(1, 1)).count == 1)
            try await eventually("the locks are free") {
                let isTaken = try await living.share(sizes(1, 1)).count == 2
                if !isTaken { try await Task.sleep(for: living.interval) }
                return isTaken
            }
            #expect(began.duration(to: .now) >= .milliseconds(700))
        }
    }

    @Test("memory that is full keeps no worker from its share")
    func fullMemory() async throws {
        try await Line.with { line in
            _ = try await line.redis.send(RedisCommand("CONFIG", "SET", "maxmemory", "1"))
            #expect(try await locks(line, "a").share(sizes(1, 2)) == [0, 1])
        }
    }

    @Test("a queue's shard is told by the first two digits of its id")
    func names() throws {
        let id = try #require(Identifier(uuid: "0f1e2d3c-0000-4000-8000-000000000000"))
        #expect(QueueLocks.name(of: QueueLocks.shard(of: id)) == "0f")
    }

    @Test("workers count each other, and forget those that fell silent or left")
    func beat() async throws {
        try await Line.with { line in
            let (a, b) = (locks(line, "a"), locks(line, "b"))
            #expect(try await a.beat() == 1)
            #expect(try await b.beat() == 2)
            try await b.leave()
            #expect(try await a.beat() == 1)
            _ = try await line.redis.send(RedisCommand("ZADD", .string(CatalogueKeys.workers), "1000", "long gone"))
            #expect(try await a.beat() == 1)
            #expect(try await QueueLocks.alive(redis: line.redis, seconds: 10) == 1)
        }
    }

    @Test("a worker that died before the clock went back is forgotten: others take its share")
    func clockWentBack() async throws {
        try await Line.with { line in
            let a = locks(line, "a")
            _ = try await a.beat()
            let hourAhead = Timestamp.now().adding(seconds: 3600).milliseconds
            _ = try await line.redis.send(RedisCommand("ZADD", .string(CatalogueKeys.workers), .integer(hourAhead), "dead"))
            #expect(try await a.beat() == 1)
        }
    }

    @Test("one of the workers alive is the first, by name")
    func first() async throws {
        try await Line.with { line in
            let (a, b) = (locks(line, "a"), locks(line, "b"))
            #expect(try await a.isFirst() == false)
            for worker in [b, a] { _ = try await worker.beat() }
            let isFirst = [try await a.isFirst(), try await b.isFirst()]
            #expect(isFirst == [true, false])
            try await a.leave()
            #expect(try await b.isFirst())
        }
    }
}
