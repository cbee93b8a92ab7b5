package import Redis

/// What one step of a sweep did.
package struct Sweep: Sendable, Equatable {
    /// Where the next step goes on; 0 when the whole line was looked at.
    package let cursor: Int64
    /// Where it goes on among the finished; 0 when all whose time has come were looked at.
    package var finishedCursor: Int64 = 0
    /// People given up for their silence.
    package let expired: Int
    /// Finished people forgotten after the retention time.
    package let forgotten: Int
    /// People handed over to another queue who have not arrived there; ``Queues/completeTransfers(from:)`` sees to it.
    package let transfers: Int
}

extension Queues {
    /// The most people that one step of a sweep looks at.
    package static var sweepBatch: Int { 500 }

    /// How often a queue is swept, in seconds: often enough that silence is noticed within a twentieth of its life.
    package static func sweepInterval(waitTTLSeconds: Int) -> Int { waitTTLSeconds == 0 ? 10 : min(10, max(1, waitTTLSeconds / 20)) }

    /// Gives up on people who were silent for too long, and forgets finished ones who are not inside any more (`sweep-15.lua`).
    /// - Parameters:
    ///   - cursor: where to begin; 0 for the front, then what the last step answered, `nil` when that was 0.
    ///   - finishedCursor: the same among the finished.
    ///   - retentionHours: how long finished people stay readable.
    package func sweep(
        _ queue: Queue, cursor: Int64?, finishedCursor: Int64? = 0, retentionHours: Double
    ) async throws(RedisError) -> Sweep {
        let keys = QueueKeys(queue.id)
        let outage = 3 * Self.sweepInterval(waitTTLSeconds: queue.waitTTLSeconds) + 2
        let reply = try await redis.evaluate(
            Scripts.sweep,
            keys: [
                keys.settings, keys.waiting, keys.entries, keys.expired, keys.counters, keys.days, keys.ready, keys.rejected, keys.typed,
                keys.events, keys.transfers, keys.deliveries, keys.outbox, keys.visitors, keys.sessions,
            ],
            arguments: [
                .integer(cursor ?? -1), .integer(Int64(Self.sweepBatch)), .integer(Int64(retentionHours * 3_600_000)),
                .integer(Int64(outage)),
                .integer(Int64(SignsOfLife.lateness(waitTTLSeconds: queue.waitTTLSeconds))), .integer(finishedCursor ?? -1),
            ])
        let values = (reply.array ?? []).map { $0.integer ?? 0 }
        guard values.count == 5 else { return Sweep(cursor: 0, expired: 0, forgotten: 0, transfers: 0) }
        return Sweep(
            cursor: values[0], finishedCursor: values[4], expired: Int(values[1]), forgotten: Int(values[2]), transfers: Int(values[3]))
    }
}
