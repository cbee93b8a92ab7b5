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
    /// When the next token is there; `nil` when nothing is due before somebody joins or the settings change.
    package let nextToken: Duration?
}

extension Queues {
    /// The most people one release step lets in, so that no script runs long.
    package static var releaseBatch: Int { 500 }

    /// Lets in as many people as the queue's token bucket allows now (`release-10.lua`). Safe under any number of callers at once.
    package func release(_ queue: Identifier) async throws(RedisError) -> Release {
        let keys = QueueKeys(queue)
        let reply = try await redis.evaluate(
            Scripts.release,
            keys: [
                keys.settings, keys.waiting, keys.entries, keys.bucket, keys.ready, keys.outbox, keys.counters, keys.days, keys.typed,
                keys.events,
            ],
            arguments: [.integer(Int64(Self.releaseBatch))])
        let values = reply.array ?? []
        guard values.count == 4, let people = values[3].array else { return Release(people: [], stillWaiting: 0, nextToken: nil) }
        let next = values[2].integer ?? -1
        return Release(
            people: stride(from: 0, to: people.count - 2, by: 3).compactMap { index in
                guard let id = people[index].string.flatMap(Identifier.init(compact:)) else { return nil }
                return Release.Person(
                    entry: id, sequence: people[index + 1].integer ?? 0, waited: .milliseconds(people[index + 2].integer ?? 0))
            },
            stillWaiting: Int(values[1].integer ?? 0), nextToken: next < 0 ? nil : .microseconds(next))
    }
}
