package import Redis

/// What happened in one queue: totals since it was made, how many wait now, and each of the last days.
package struct QueueStatistics: Sendable, Equatable {
    package struct Totals: Sendable, Equatable {
        package var joined = 0
        package var released = 0
        package var expired = 0
        package var cancelled = 0
        /// The sum of the waits of those released, ms.
        package var waitedMilliseconds: Int64 = 0

        /// Seconds that those released had waited, on average; 0 when nobody was.
        package var averageWaitSeconds: Double {
            released == 0 ? 0 : Double(waitedMilliseconds) / 1000 / Double(released)
        }

        package static func + (left: Totals, right: Totals) -> Totals {
            Totals(
                joined: left.joined + right.joined, released: left.released + right.released, expired: left.expired + right.expired,
                cancelled: left.cancelled + right.cancelled, waitedMilliseconds: left.waitedMilliseconds + right.waitedMilliseconds)
        }

        package init(joined: Int = 0, released: Int = 0, expired: Int = 0, cancelled: Int = 0, waitedMilliseconds: Int64 = 0) {
            self.joined = joined
            self.released = released
            self.expired = expired
            self.cancelled = cancelled
            self.waitedMilliseconds = waitedMilliseconds
        }
    }

    package let waiting: Int
    package let total: Totals
    /// By days since 1970.
    package let days: [Int: Totals]
}

extension Queues {
    /// The statistics of `queues`, in their order, in one round trip.
    package func statistics(of queues: [Identifier]) async throws(RedisError) -> [QueueStatistics] {
        guard !queues.isEmpty else { return [] }
        let commands = queues.flatMap { queue in
            let keys = QueueKeys(queue)
            return [
                RedisCommand("ZCARD", .string(keys.waiting)), RedisCommand("HGETALL", .string(keys.counters)),
                RedisCommand("HGETALL", .string(keys.days)),
            ]
        }
        let replies = try await redis.pipeline(commands)
        return try queues.indices.map { index throws(RedisError) in
            let waiting = try replies[3 * index].get().integer ?? 0
            let counters = Self.numbers(try replies[3 * index + 1].get())
            let days = Self.numbers(try replies[3 * index + 2].get())
            return QueueStatistics(waiting: Int(waiting), total: Self.totals(counters, joined: "sequence") { $0 }, days: Self.days(days))
        }
    }

    private static func numbers(_ reply: RedisValue) -> [String: Int64] {
        let values = reply.array ?? []
        var numbers: [String: Int64] = [:]
        for index in stride(from: 0, to: values.count - 1, by: 2) {
            if let key = values[index].string, let value = values[index + 1].integer { numbers[key] = value }
        }
        return numbers
    }

    private static func totals(_ numbers: [String: Int64], joined: String, field: (String) -> String) -> QueueStatistics.Totals {
        func count(_ name: String) -> Int { Int(numbers[field(name)] ?? 0) }
        return QueueStatistics.Totals(
            joined: count(joined) - count("skipped"), released: count("released"), expired: count("expired"), cancelled: count("cancelled"),
            waitedMilliseconds: numbers[field("waited_ms")] ?? 0)
    }

    private static func days(_ numbers: [String: Int64]) -> [Int: QueueStatistics.Totals] {
        let days = Set(numbers.keys.compactMap { $0.split(separator: ":").last.flatMap { Int($0) } })
        return Dictionary(uniqueKeysWithValues: days.map { day in (day, totals(numbers, joined: "joined") { "\($0):\(day)" }) })
    }
}
