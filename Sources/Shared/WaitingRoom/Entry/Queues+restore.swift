package import Redis

/// What became of somebody whom Redis seemed to have lost.
package enum Restored: Sendable, Equatable {
    /// They wait again, at their old place.
    case waiting
    /// They had been let in, as a worker remembers, and are again, as of then.
    case released
    /// They were not lost, or it cannot be known.
    case nothing
}

extension Queues {
    /// For how long nobody is let in or gets a new place yet; `nil` for not at all. Redis has just come back, or another server took over,
    /// and may have lost people or releases: the gateways and workers that know of them tell it as soon as they are connected, too.
    package var reunion: Duration? {
        // Longer than the longest pause before connecting again; with a command that then gets no reply, less than the two seconds within
        // which everybody is to have an answer.
        let length = Duration.milliseconds(1000)
        guard let left = redis.returned.map({ length - $0.duration(to: .now) }), left > .zero else { return nil }
        return left
    }

    /// Puts the holder of a ticket back whom Redis has lost (`restore-12.lua`).
    package func restore(_ ticket: Ticket) async throws(RedisError) -> Restored {
        // Reading the queue gives it back first, should Redis have lost that too.
        guard let queue = try await get(ticket.queue) else { return .nothing }
        let keys = queue.keys
        let reply = try await redis.evaluate(
            Scripts.restore,
            keys: [
                keys.settings, keys.waiting, keys.entries, keys.counters, keys.tombstones, keys.ready, keys.outbox, keys.days, keys.typed,
                keys.events, keys.visitors, keys.sessions,
            ],
            arguments: [
                .string(ticket.entry.compact), .integer(ticket.sequence), .integer(ticket.joined.milliseconds), .string(ticket.visitor),
                .integer(Int64(ticket.epoch)), .integer(Int64(retentionHours * 3_600_000)),
            ])
        memory.saw(reply.array?.dropFirst().first, of: queue.id, seconds: rebuildSeconds)
        switch reply.array?.first?.integer {
        case 1: return .waiting
        case 2: return .released
        default: return .nothing
        }
    }

    /// Reads who was let in by others (`releases-2.lua`), so that this process can tell it should Redis lose it: at most the latest
    /// 200,000, and none from before what is known already.
    /// - Throws: when Redis does not answer; nothing is noted then.
    package func learnReleases(of queue: Identifier) async throws(RedisError) {
        let keys = QueueKeys(queue)
        let since = memory.latestRelease(of: queue)
        var releases: [(sequence: Int64, released: Int64)] = []
        for offset in stride(from: 0, to: Self.mostLearned, by: Self.releaseBatch) where !Task.isCancelled {
            let reply = try await redis.evaluate(
                Scripts.releases, keys: [keys.ready, keys.entries],
                arguments: [.integer(Int64(offset)), .integer(Int64(Self.releaseBatch))])
            guard let values = reply.array, values.count == 2, let read = values[0].integer, let people = values[1].array else { break }
            for index in stride(from: 0, to: people.count - 1, by: 2) {
                guard let sequence = people[index].integer, let released = people[index + 1].integer else { continue }
                releases.append((sequence, released))
            }
            if read < Self.releaseBatch || releases.last?.released ?? .max < since { break }
        }
        memory.learned(releases, of: queue)
    }

    private static var mostLearned: Int { 200_000 }

    /// Tells Redis who this process knows to have been let in, after a loss (`remember_released-12.lua`).
    /// - Returns: how many waited again as if they had not been let in, and are let in again; `nil` when Redis was told of nobody, since it
    ///   has lost the queue too or that is switched off.
    package func rememberReleased(_ queue: Identifier) async throws(RedisError) -> Int? {
        let keys = QueueKeys(queue)
        let runs = memory.runs(of: queue)
        var released = 0
        for start in stride(from: 0, to: runs.count, by: Self.runsAtOnce) {
            let some = runs[start..<min(start + Self.runsAtOnce, runs.count)]
            let numbers = some.flatMap { [RedisArgument.integer($0.first), .integer($0.last), .integer($0.released)] }
            var step: Int
            repeat {
                step = Int(
                    try await redis.evaluate(
                        Scripts.rememberReleased,
                        keys: [
                            keys.tombstones, keys.waiting, keys.entries, keys.ready, keys.outbox, keys.counters, keys.days, keys.typed,
                            keys.events, keys.settings, keys.visitors, keys.sessions,
                        ],
                        arguments: [.integer(Int64(max(1, retentionHours * 3600))), .integer(Int64(Self.toldBatch))] + numbers
                    ).integer ?? 0)
                if step < 0 { return nil }
                released += step
            } while step == Self.toldBatch
        }
        return released
    }

    /// Tells Redis what this process knows of every queue of which it has lost people since it was told last: how far it had got, and who
    /// had been let in. Whoever looks after a queue now does not know what another worker has seen of it before.
    package func tellOfLosses() async throws(RedisError) {
        let known = memory.known()
        for start in stride(from: 0, to: known.count, by: Self.queuesAtOnce) {
            let some = known[start..<min(start + Self.queuesAtOnce, known.count)]
            let states = try await redis.pipeline(
                some.map { RedisCommand("HMGET", .string(QueueKeys($0.queue).counters), "sequence", "let_in_through", "lost_at") })
            for (one, state) in zip(some, states) {
                let values = (try state.get().array ?? []).map { $0.integer ?? 0 }
                guard values.count == 3 else { continue }
                let isBehind = values[0] < one.highest || values[1] < one.through
                guard isBehind || values[2] != one.toldOf else { continue }
                // Reading the queue gives it back first, should Redis have lost that too; the release step takes note of the loss.
                _ = try await get(one.queue)
                if isBehind { _ = try await release(one.queue) }
                if try await rememberReleased(one.queue) != nil { memory.told(of: values[2], of: one.queue) }
            }
        }
    }

    private static var queuesAtOnce: Int { 500 }
    /// The most runs, and the most people, that one step is told of: each run may end in a place of its own.
    private static var runsAtOnce: Int { 100 }
    private static var toldBatch: Int { 100 }
}
