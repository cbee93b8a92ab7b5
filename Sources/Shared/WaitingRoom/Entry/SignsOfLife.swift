package import Logging
package import Redis
import ServiceLifecycle
import Synchronization

/// Collects who has polled and notes it in Redis once a second, one command for each queue (`touch-2.lua`): a poll itself writes nothing,
/// and one who polls often is noted once every ``interval(waitTTLSeconds:)``. What Redis tells of those who do not wait goes to
/// ``QueueViews``.
///
/// What is collected but not yet written is lost when the process is killed; a sweep allows for that second. Each gateway also notes that
/// it is there at all: while none is, nobody can poll, and silence means nothing.
package final class SignsOfLife: Service, Sendable {
    private static let batch = 250
    /// How long a gateway may be silent that is there.
    private static let gatewaySilence = Duration.seconds(4)

    private struct Seen {
        var entries: [Identifier: Int64] = [:]
        var highest: Int64 = 0
    }

    private let redis: RedisClient
    private let memory: QueueMemory
    private let signer: TicketSigner
    private let rebuildSeconds: Int
    private let views: QueueViews
    private let logger: Logger
    private let gateway = Identifier.random().compact
    private let seen = Mutex<[Identifier: Seen]>([:])

    package init(queues: Queues, views: QueueViews, logger: Logger) {
        self.views = views
        redis = queues.redis
        memory = queues.memory
        signer = queues.signer
        rebuildSeconds = queues.rebuildSeconds
        self.logger = logger
    }

    /// How often one who polls is noted, in seconds: an eighth of the silence that is allowed, 1 to 30.
    package static func interval(waitTTLSeconds: Int) -> Int { waitTTLSeconds == 0 ? 30 : max(1, min(30, waitTTLSeconds / 8)) }

    /// How much earlier than the latest sign of life the noted one may be, in whole seconds: it is noted in whole seconds, up to a second
    /// late.
    static func lateness(waitTTLSeconds: Int) -> Int {
        let interval = interval(waitTTLSeconds: waitTTLSeconds)
        return interval == 1 ? 1 : interval + 1
    }

    package func note(_ ticket: Ticket) {
        seen.withLock { seen in
            seen[ticket.queue, default: Seen()].entries[ticket.entry] = ticket.sequence
            if ticket.sequence > seen[ticket.queue]!.highest { seen[ticket.queue]!.highest = ticket.sequence }
        }
    }

    /// Writes once a second until shut down, and what is left then.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                self.signer.forgetUnused()
                await self.beat()
                await self.write()
            }
        }
        await write()
    }

    /// Notes that this gateway is there to be polled (`beat-1.lua`).
    package func beat() async {
        _ = try? await redis.evaluate(
            Scripts.beat, keys: [CatalogueKeys.gateways], arguments: [.string(gateway), .integer(Self.gatewaySilence.milliseconds)])
    }

    /// Whether a gateway is there to be polled, or never was one.
    package static func areNoted(in redis: RedisClient) async throws(RedisError) -> Bool {
        let last = try await redis.send(RedisCommand("ZREVRANGE", .string(CatalogueKeys.gateways), 0, 0, "WITHSCORES"))
        guard let beat = last.array?.last?.integer else { return true }
        let now = try await redis.send(RedisCommand("TIME"), near: CatalogueKeys.gateways).array?.first?.integer ?? 0
        return now * 1000 - beat <= gatewaySilence.milliseconds
    }

    /// Writes what was collected so far. What cannot be written is kept for the next time.
    package func write() async {
        let collected = seen.withLock { seen in
            defer { seen = [:] }
            return seen
        }
        for (queue, seen) in collected {
            memory.saw(seen.highest, of: queue)
            let keys = QueueKeys(queue)
            let highest = RedisArgument.integer(memory.highestSequence(of: queue))
            var left = Array(seen.entries)
            while !left.isEmpty {
                let part = left.suffix(Self.batch)
                do {
                    let reply =
                        try await redis.evaluate(
                            Scripts.touch, keys: [keys.waiting, keys.counters], arguments: [highest] + part.map { .string($0.key.compact) }
                        ).array ?? []
                    memory.saw(reply.first, of: queue, seconds: rebuildSeconds)
                    for index in (reply.last?.array ?? []).compactMap(\.integer) {
                        views.forget(part[part.startIndex + Int(index) - 1].value, in: queue)
                    }
                    left.removeLast(part.count)
                } catch {
                    logger.debug("Signs of life could not be written; they are kept", metadata: ["error": "\(error)"])
                    self.seen.withLock { $0[queue, default: Seen()].entries.merge(left.map { ($0.key, $0.value) }) { $1 } }
                    break
                }
            }
        }
    }
}
