import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("measure-6.lua, figures-8.lua, QueueSeries")
struct SeriesTests {
    private static let minute: Int64 = 60_000

    private func point(_ ended: Int64, waiting: Int, joined: Int, released: Int = 0, median: Int? = nil) -> QueueSeries.Point {
        QueueSeries.Point(
            ended: ended, waiting: waiting, total: QueueStatistics.Totals(joined: joined, released: released),
            waitMedian: median.map { .seconds($0) }, wait95th: nil)
    }

    private func now(_ milliseconds: Int64, waiting: Int, joined: Int, released: Int) throws -> QueueFigures {
        let values = [milliseconds, Int64(waiting), Int64(joined), Int64(released), 0, 0, 0, -1, -1, 0, 0, 0, 0, 0, 0]
        return try #require(QueueFigures(.array(values.map { .integer($0) })))
    }

    @Test("a step tells what came and went between two points; where none was written nothing changed")
    func steps() throws {
        let begin = 100 * Self.minute
        let points = [
            point(begin, waiting: 5, joined: 10, released: 5),
            point(begin + 2 * Self.minute, waiting: 8, joined: 15, released: 7, median: 3),
        ]
        let series = QueueSeries(
            span: .minutes(5), points: points, now: try now(begin + 4 * Self.minute + 10_000, waiting: 9, joined: 17, released: 8))
        #expect(series.steps.map(\.began.milliseconds) == (0..<5).map { begin + $0 * Self.minute })
        #expect(series.steps.map(\.waiting) == [5, 8, 8, 8, 9])
        #expect(series.steps.map(\.joined) == [0, 5, 0, 0, 2])
        #expect(series.steps.map(\.released) == [0, 2, 0, 0, 1])
        #expect(series.steps.map(\.waitMedian) == [nil, .seconds(3), nil, nil, nil])
    }

    @Test("a step taken back at a desk makes no number negative")
    func takenBack() throws {
        let series = QueueSeries(
            span: .minutes(1), points: [point(Self.minute, waiting: 0, joined: 3, released: 3)],
            now: try now(Self.minute + 5, waiting: 1, joined: 3, released: 2))
        #expect(series.steps.map(\.released) == [0])
    }

    @Test("a minute has one point, whoever writes it, and one in which nothing changed has none")
    func onePoint() async throws {
        try await Line.with { line in
            func points() async throws -> Int64? { try await line.redis.send(RedisCommand("XLEN", .string(line.keys.minutes))).integer }
            _ = try await line.queues.measure(line.queue.id)
            #expect(try await points() == 0)
            try await line.join()
            let pause = try await withThrowingTaskGroup(of: Duration.self) { group in
                for _ in 0..<20 { group.addTask { try await line.queues.measure(line.queue.id) } }
                return try await group.reduce(Duration.zero) { max($0, $1) }
            }
            #expect(try await points() == 1)
            #expect(pause <= .seconds(60))
            // As if it had been written an hour ago: nothing has changed since.
            _ = try await line.redis.send(RedisCommand("DEL", .string(line.keys.minutes)))
            let fields: [RedisArgument] = ["w", 1, "j", 1, "r", 0, "e", 0, "c", 0, "p50", -1, "p95", -1]
            _ = try await line.redis.send(RedisCommand("XADD", arguments: [.string(line.keys.minutes), "60000-0"] + fields))
            _ = try await line.queues.measure(line.queue.id)
            #expect(try await points() == 1)
            try await line.join("w")
            _ = try await line.queues.measure(line.queue.id)
            #expect(try await points() == 2)
        }
    }

    @Test("the last step is what has happened since the last point; waits are those of people let in")
    func live() async throws {
        try await Line.with { line in
            let people = [try await line.join("a"), try await line.join("b"), try await line.join("c")]
            for (seconds, person) in zip([10, 20], people) {
                let joined = Timestamp.now().milliseconds - Int64(seconds) * 1000
                try await line.forgetRecord(person)
                _ = try await line.redis.send(
                    RedisCommand("HSET", .string(line.keys.entries), .string(person.entry.id.compact), .string("\(joined) v")))
                try await line.releaseOne()
            }
            let series = try await line.queues.series(of: line.queue.id, over: .days(2))
            #expect(series.stepSeconds == 3600 && series.steps.count == 48)
            let last = try #require(series.steps.last)
            #expect(last.waiting == 1 && last.joined == 3 && last.released == 2)
            #expect(last.waitMedian?.components.seconds == 10)
            #expect(last.wait95th?.components.seconds == 20)
            let figures = try #require(try await line.queues.figures(of: line.queue.id, waits: .seconds(300)))
            #expect(figures.releasedLastMinute == 2 && figures.callbacksOwed == 2 && figures.waiting == 1)
            #expect(figures.wait95th?.components.seconds == 20)
        }
    }
}
