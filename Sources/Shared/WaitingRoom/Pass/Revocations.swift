import NIOCore
package import Redis
import ServiceLifecycle
import Synchronization

/// Which passes were revoked, as far as this gateway has heard: of each queue whose passes are checked here, what is new is asked for four times
/// a second. While Redis is away what was heard last stands.
package final class Revocations: Service, Sendable {
    private static let refresh = Duration.milliseconds(250)
    /// Known for longer than this without a look at Redis, Redis is asked first.
    private static let life = TimeAmount.milliseconds(750)
    /// A queue that nobody has asked about for so long is forgotten.
    private static let memory = TimeAmount.seconds(60)
    private static let batch = 10_000

    private struct Watch {
        var revoked: Set<Identifier> = []
        /// The ms of the latest revocation in ``revoked``.
        var latest: Int64 = 0
        var asked: NIODeadline
        var known: NIODeadline
    }

    private let redis: RedisClient
    private let watches = Mutex<[Identifier: Watch]>([:])

    private let passes: PassSigner

    package init(redis: RedisClient, passes: PassSigner) {
        self.redis = redis
        self.passes = passes
    }

    /// Whether a pass was revoked, as of a second ago at most.
    package func holds(_ pass: Pass) async -> Bool {
        if let known = remembered(pass) { return known }
        try? await learn(pass.queue)
        return watches.withLock { $0[pass.queue]?.revoked.contains(pass.entry) ?? false }
    }

    /// ``holds(_:)`` as far as memory tells; `nil` when it is too old.
    package func remembered(_ pass: Pass) -> Bool? {
        let now = NIODeadline.now()
        return watches.withLock { watches in
            guard let watch = watches[pass.queue] else { return nil }
            watches[pass.queue]?.asked = now
            return watch.known + Self.life > now ? watch.revoked.contains(pass.entry) : nil
        }
    }

    /// Keeps what is asked about fresh, until shut down.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.refresh)
                self.passes.forgetUnused()
                let now = NIODeadline.now()
                let queues = self.watches.withLock { watches in
                    watches = watches.filter { now - $0.value.asked < Self.memory }
                    return Array(watches.keys)
                }
                for queue in queues { try? await self.learn(queue) }
            }
        }
    }

    private func learn(_ queue: Identifier) async throws(RedisError) {
        let key = QueueKeys(queue).revoked
        var latest = watches.withLock { $0[queue]?.latest ?? 0 }
        var found: [Identifier] = []
        let began = NIODeadline.now()
        var skipped = 0
        while true {
            // Those of the latest ms again: some may have come after them.
            let reply = try await redis.send(
                RedisCommand(
                    "ZRANGEBYSCORE", .string(key), .integer(latest), "+inf", "WITHSCORES", "LIMIT", .integer(Int64(skipped)),
                    .integer(Int64(Self.batch))))
            let values = reply.array ?? []
            for index in stride(from: 0, to: values.count - 1, by: 2) {
                if let entry = values[index].string.flatMap({ Identifier(compact: $0) }) { found.append(entry) }
            }
            if values.count < 2 * Self.batch {
                latest = values.last?.string.flatMap { Int64($0) } ?? latest
                break
            }
            skipped += Self.batch
        }
        watches.withLock { watches in
            var watch = watches[queue] ?? Watch(asked: began, known: began)
            watch.revoked.formUnion(found)
            watch.latest = max(watch.latest, latest)
            watch.known = began
            watches[queue] = watch
        }
    }
}
