package import Redis

/// A queue's part of the rate of its application.
package struct RatePart: Sendable, Equatable {
    /// How many may go now.
    package let granted: Int
    /// When the next one may.
    package let next: Duration
    package let ratePerMinute: Double

    package init(granted: Int, next: Duration, ratePerMinute: Double) {
        self.granted = granted
        self.next = next
        self.ratePerMinute = ratePerMinute
    }

    /// That of a queue in which nobody is to go now, unless it is passed through.
    /// - Parameter ratePerMinute: the application's rate.
    package static func nothing(of ratePerMinute: Double) -> RatePart {
        RatePart(granted: 0, next: .zero, ratePerMinute: ratePerMinute)
    }
}

extension Queues {
    /// Asks for a queue's part of its application's rate (`apportion-1.lua`).
    /// - Parameters:
    ///   - total: the application's rate.
    ///   - wanted: how many would go now; 0: nobody waits, and the others may have its part.
    ///   - unused: how many of those granted before did not go.
    package func apportion(_ total: Double, to queue: Queue, wanted: Int, unused: Int) async throws(RedisError) -> RatePart {
        let reply = try await redis.evaluate(
            Scripts.apportion, keys: [CatalogueKeys.rate(of: queue.tenant)],
            arguments: [
                .string("\(total)"), .string(queue.id.compact), .integer(Int64(queue.priority)), .string("\(queue.currentRatePerMinute)"),
                .integer(Int64(wanted)), .integer(Int64(unused)),
            ])
        let values = (reply.array ?? []).map { $0.integer ?? 0 }
        guard values.count == 3 else { return RatePart(granted: 0, next: .seconds(1), ratePerMinute: 0) }
        return RatePart(granted: Int(values[0]), next: .microseconds(values[1]), ratePerMinute: Double(values[2]) / 1000)
    }
}
