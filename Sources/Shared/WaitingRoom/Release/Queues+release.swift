package import Redis

/// What one release step did.
package struct Release: Sendable, Equatable {
    package struct Person: Sendable, Equatable {
        package let entry: Identifier
        package let sequence: Int64
        package let waited: Duration
    }

    package let people: [Person]
    package let stillWaiting: Int
    /// When the next may go: there is a token, and a place inside; `nil` when nothing is due before somebody joins or the settings change.
    package let nextToken: Duration?
    /// How many are inside.
    package var active = 0
    /// Whether it was found out now that Redis has lost people: nobody is let in before their tickets had time to come back.
    package var foundLoss = false
}

extension Queues {
    /// The most people one release step lets in, so that no script runs long.
    package static var releaseBatch: Int { 250 }

    /// Lets in as many people as the queue's token bucket and its capacity allow now (`release-12.lua`). Safe under any number of callers
    /// at once.
    /// - Parameters:
    ///   - part: of the application's rate, where it has one: no more than it grants go, unless the line is passed through.
    ///   - rebuildSeconds: how long releases wait after a loss, if other than these queues say.
    package func release(_ queue: Identifier, part: RatePart? = nil, rebuildSeconds: Int? = nil) async throws(RedisError) -> Release {
        let keys = QueueKeys(queue)
        let reply = try await redis.evaluate(
            Scripts.release,
            keys: [
                keys.settings, keys.waiting, keys.entries, keys.bucket, keys.ready, keys.outbox, keys.counters, keys.days, keys.typed,
                keys.events, keys.visitors, keys.sessions,
            ],
            arguments: [
                .integer(Int64(Self.releaseBatch)), .integer(Int64(rebuildSeconds ?? self.rebuildSeconds) * 1000),
                .integer(memory.highestSequence(of: queue)), .integer(memory.releasedThrough(queue)),
            ] + Self.arguments(part))
        let values = reply.array ?? []
        guard values.count == 9, let people = values[3].array else { return Release(people: [], stillWaiting: 0, nextToken: nil) }
        let next = values[2].integer ?? -1
        let released = stride(from: 0, to: people.count - 2, by: 3).compactMap { index -> Release.Person? in
            guard let id = people[index].string.flatMap(Identifier.init(compact:)) else { return nil }
            return Release.Person(
                entry: id, sequence: people[index + 1].integer ?? 0, waited: .milliseconds(people[index + 2].integer ?? 0))
        }
        memory.released(
            released.map(\.sequence), at: values[4].integer ?? 0, highest: values[5].integer ?? 0, through: values[6].integer ?? 0,
            of: queue)
        return Release(
            people: released, stillWaiting: Int(values[1].integer ?? 0), nextToken: next < 0 ? nil : .microseconds(next),
            active: Int(values[8].integer ?? 0), foundLoss: values[7].integer == 1)
    }

    private static func arguments(_ part: RatePart?) -> [RedisArgument] {
        guard let part else { return ["-", "-", "-"] }
        return [.integer(Int64(part.ratePerMinute * 1000)), .integer(Int64(part.granted)), .integer(part.next.milliseconds * 1000)]
    }
}
