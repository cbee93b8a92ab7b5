package import Redis

/// How a queue did over time, in steps of a minute or an hour, oldest first. The last step is the one that is not over.
package struct QueueSeries: Sendable, Equatable {
    package enum Span: Sendable, Equatable {
        case minutes(Int)
        case days(Int)

        package var stepSeconds: Int {
            switch self {
            case .minutes: 60
            case .days: 3600
            }
        }

        var steps: Int {
            switch self {
            case .minutes(let minutes): minutes
            case .days(let days): days * 24
            }
        }
    }

    package struct Step: Sendable, Equatable {
        package let began: Timestamp
        /// How many waited at its end.
        package var waiting = 0
        /// How many came and went within it.
        package var joined = 0
        package var released = 0
        package var expired = 0
        package var cancelled = 0
        /// How long those let in within it had waited; `nil` when nobody was.
        package var waitMedian: Duration?
        package var wait95th: Duration?
    }

    package let stepSeconds: Int
    package let steps: [Step]

    /// What was written at the end of one step.
    struct Point {
        let ended: Int64
        let waiting: Int
        let total: QueueStatistics.Totals
        let waitMedian: Duration?
        let wait95th: Duration?
    }

    /// - Parameters:
    ///   - points: by time, beginning with the last one before the span where there is one. Where none was written nothing changed.
    ///   - now: closes the step that is not over.
    init(span: Span, points: [Point], now: QueueFigures) {
        let length = Int64(span.stepSeconds) * 1000
        let current = now.now.milliseconds / length * length
        let first = current - Int64(span.steps - 1) * length
        let last = Point(
            ended: current + length, waiting: now.waiting, total: now.total, waitMedian: now.waitMedian, wait95th: now.wait95th)

        var before = points.last { $0.ended <= first }
        var next = points.drop { $0.ended <= first }
        var steps: [Step] = []
        for began in stride(from: first, through: current, by: Int(length)) {
            var point = began == current ? last : nil
            // A point of this step; later ones than now exist when a clock was set back.
            while point == nil, let candidate = next.first, candidate.ended <= began + length {
                next.removeFirst()
                point = candidate
            }
            var step = Step(began: Timestamp(milliseconds: began), waiting: before?.waiting ?? 0)
            if let point {
                let base = before?.total ?? QueueStatistics.Totals()
                step.waiting = point.waiting
                // Totals shrink when a desk takes a step back.
                step.joined = max(0, point.total.joined - base.joined)
                step.released = max(0, point.total.released - base.released)
                step.expired = max(0, point.total.expired - base.expired)
                step.cancelled = max(0, point.total.cancelled - base.cancelled)
                step.waitMedian = point.waitMedian
                step.wait95th = point.wait95th
                before = point
            }
            steps.append(step)
        }
        stepSeconds = span.stepSeconds
        self.steps = steps
    }
}

extension Queues {
    /// Writes what is due of a queue's series (`measure-6.lua`).
    /// - Returns: how long until the next point is due.
    package func measure(_ queue: Identifier) async throws(RedisError) -> Duration {
        let keys = QueueKeys(queue)
        let reply = try await redis.evaluate(
            Scripts.measure, keys: [keys.waiting, keys.entries, keys.ready, keys.counters, keys.minutes, keys.hours], arguments: [])
        return .milliseconds(reply.integer ?? 60_000)
    }

    /// How long until the next point of any queue's series is due.
    package func untilMinuteEnds() async throws(RedisError) -> Duration {
        let clock = (try await redis.send(RedisCommand("TIME")).array ?? []).compactMap(\.integer)
        guard clock.count == 2 else { return .seconds(60) }
        return .milliseconds(60_000 - (clock[0] * 1000 + clock[1] / 1000) % 60_000)
    }

    /// How a queue did over the last minutes or days.
    package func series(of queue: Identifier, over span: QueueSeries.Span) async throws(RedisError) -> QueueSeries {
        let keys = QueueKeys(queue)
        let (stream, window) =
            switch span {
            case .minutes: (keys.minutes, QueueFigures.Window.thisMinute)
            case .days: (keys.hours, QueueFigures.Window.thisHour)
            }
        guard let now = try await figures(of: queue, waits: window) else { return QueueSeries(stepSeconds: span.stepSeconds, steps: []) }
        let first = now.now.milliseconds - Int64(span.steps * span.stepSeconds) * 1000
        let replies = try await redis.pipeline([
            RedisCommand("XREVRANGE", .string(stream), .string("(\(first)-0"), "-", "COUNT", 1),
            RedisCommand("XRANGE", .string(stream), .string("\(first)-0"), "+"),
        ])
        var points: [QueueSeries.Point] = []
        for reply in replies { points += (try reply.get().array ?? []).compactMap(QueueSeries.Point.init) }
        return QueueSeries(span: span, points: points, now: now)
    }
}

extension QueueSeries {
    fileprivate init(stepSeconds: Int, steps: [Step]) {
        self.stepSeconds = stepSeconds
        self.steps = steps
    }
}

extension QueueSeries.Point {
    /// - Parameter row: an item of a stream: id, and fields with their values.
    fileprivate init?(_ row: RedisValue) {
        guard let row = row.array, row.count == 2, let ended = row[0].string.flatMap({ Int64($0.prefix { $0 != "-" }) }),
            let values = row[1].array, values.count == 14
        else { return nil }
        func count(_ index: Int) -> Int { Int(values[index].integer ?? 0) }
        self.ended = ended
        waiting = count(1)
        total = QueueStatistics.Totals(joined: count(3), released: count(5), expired: count(7), cancelled: count(9))
        waitMedian = QueueFigures.wait(values[11])
        wait95th = QueueFigures.wait(values[13])
    }
}
