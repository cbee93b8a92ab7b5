import NIOCore
package import Redis
import ServiceLifecycle
import Synchronization

/// Which passes were revoked, as far as this gateway has heard: of each queue whose passes are checked here, what is new is asked for four
/// times a second. While Redis is away what was heard last stands.
package final class Revocations: Service, Sendable {
    private static let refresh = Duration.milliseconds(250)
    /// Known for longer than this without a look at Redis, Redis is asked first.
    private static let life = TimeAmount.milliseconds(750)
    /// A queue that nobody has asked about for so long is forgotten.
    private static let memory = TimeAmount.seconds(60)
    private static let batch = 10_000

    private struct Watch {
        /// When each was revoked, ms.
        private var revoked: [Identifier: Int64] = [:]
        /// Those before ``since``. No pass lasts so long that it would have to be known yet when they are forgotten.
        private var earlier: [Identifier: Int64] = [:]
        private var since: Int64 = 0
        /// The ms of the latest revocation that is known.
        private(set) var latest: Int64 = 0
        var asked: NIODeadline
        var known: NIODeadline

        init(at now: NIODeadline) { (asked, known) = (now, now) }

        /// Whether a pass is one of them. An entry's id may come again with a visitor, days later.
        func holds(_ pass: Pass) -> Bool {
            (revoked[pass.entry] ?? earlier[pass.entry]).map { $0 >= pass.issued.milliseconds } ?? false
        }

        mutating func add(_ found: [(entry: Identifier, at: Int64)]) {
            for (entry, at) in found {
                revoked[entry] = at
                latest = max(latest, at)
            }
            if latest - since > Int64(Queue.sessionLengths.upperBound) * 1000 { (earlier, revoked, since) = (revoked, [:], latest) }
        }
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
        return watches.withLock { $0[pass.queue]?.holds(pass) ?? false }
    }

    /// ``holds(_:)`` as far as memory tells; `nil` when it is too old.
    package func remembered(_ pass: Pass) -> Bool? {
        let now = NIODeadline.now()
        return watches.withLock { watches in
            guard let watch = watches[pass.queue] else { return nil }
            watches[pass.queue]?.asked = now
            return watch.known + Self.life > now ? watch.holds(pass) : nil
        }
    }

    /// Keeps what is asked about fresh, and forgets texts of passes that nobody shows any more, until shut down.
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
        let latest = watches.withLock { $0[queue]?.latest ?? 0 }
        var found: [(entry: Identifier, at: Int64)] = []
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
                if let entry = values[index].string.flatMap({ Identifier(compact: $0) }) {
                    found.append((entry, values[index + 1].integer ?? 0))
                }
            }
            if values.count < 2 * Self.batch { break }
            skipped += Self.batch
        }
        watches.withLock { watches in
            watches[queue, default: Watch(at: began)].add(found)
            watches[queue]?.known = began
        }
    }
}
