package import Redis

/// How a queue does now.
package struct QueueFigures: Sendable, Equatable {
    /// Of whom the median and the 95th percentile of waits tell.
    package enum Window: Sendable, Equatable {
        /// Those let in within so many seconds.
        case seconds(Int)
        /// Those let in since this minute or this hour began.
        case thisMinute, thisHour

        var milliseconds: Int64 {
            switch self {
            case .seconds(let seconds): Int64(seconds) * 1000
            case .thisHour: 0
            case .thisMinute: -1
            }
        }
    }

    /// Redis's clock.
    package let now: Timestamp
    package let waiting: Int
    /// Since the queue was made; waits are not summed.
    package let total: QueueStatistics.Totals
    package let releasedLastMinute: Int
    /// Of those let in within the window; `nil` when there were none. Of many, 200 are looked at.
    package let waitMedian: Duration?
    package let wait95th: Duration?
    package let callbacksOwed: Int
    /// Callbacks that failed and will be tried again.
    package let callbacksFailing: Int
    package let deadLetters: Int
    /// When it was found out last that Redis had lost people of the queue; `nil` for never.
    package let lostAt: Timestamp?
    /// People put back at their places after losses.
    package let restored: Int
    /// How many are inside.
    package let active: Int

    init?(_ reply: RedisValue) {
        guard let values = reply.array, values.count == 15 else { return nil }
        func count(_ index: Int) -> Int { Int(values[index].integer ?? 0) }
        now = Timestamp(milliseconds: values[0].integer ?? 0)
        waiting = count(1)
        total = QueueStatistics.Totals(joined: count(2), released: count(3), expired: count(4), cancelled: count(5))
        releasedLastMinute = count(6)
        waitMedian = Self.wait(values[7])
        wait95th = Self.wait(values[8])
        callbacksOwed = count(9)
        callbacksFailing = count(10)
        deadLetters = count(11)
        lostAt = values[12].integer.flatMap { $0 > 0 ? Timestamp(milliseconds: $0) : nil }
        restored = count(13)
        active = count(14)
    }

    static func wait(_ value: RedisValue) -> Duration? {
        value.integer.flatMap { $0 < 0 ? nil : .milliseconds($0) }
    }
}

extension Queues {
    /// How a queue does now (`figures-8.lua`).
    package func figures(of queue: Identifier, waits window: QueueFigures.Window) async throws(RedisError) -> QueueFigures? {
        let keys = QueueKeys(queue)
        return QueueFigures(
            try await redis.evaluate(
                Scripts.figures,
                keys: [keys.waiting, keys.entries, keys.ready, keys.counters, keys.outbox, keys.callbacks, keys.dead, keys.sessions],
                arguments: [.integer(window.milliseconds)]))
    }
}
