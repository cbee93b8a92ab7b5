package import Logging
package import Redis
import ServiceLifecycle
import Synchronization

/// Collects who has polled and notes it in Redis once a second, one command for each queue (`touch-1.lua`): a poll itself writes nothing.
///
/// What is collected but not yet written is lost when the process is killed; a sweep allows for that second.
package final class SignsOfLife: Service, Sendable {
    private static let batch = 500

    private let redis: RedisClient
    private let logger: Logger
    private let seen = Mutex<[Identifier: Set<Identifier>]>([:])

    package init(redis: RedisClient, logger: Logger) {
        self.redis = redis
        self.logger = logger
    }

    package func note(_ ticket: Ticket) {
        seen.withLock { _ = $0[ticket.queue, default: []].insert(ticket.entry) }
    }

    /// Writes once a second until shut down, and what is left then.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                await self.write()
            }
        }
        await write()
    }

    /// Writes what was collected so far. What cannot be written is kept for the next time.
    package func write() async {
        let collected = seen.withLock { seen in
            defer { seen = [:] }
            return seen
        }
        for (queue, entries) in collected {
            var left = Array(entries)
            while !left.isEmpty {
                let part = left.suffix(Self.batch)
                do {
                    _ = try await redis.evaluate(
                        Scripts.touch, keys: [QueueKeys(queue).waiting], arguments: part.map { .string($0.compact) })
                    left.removeLast(part.count)
                } catch {
                    logger.debug("Signs of life could not be written; they are kept", metadata: ["error": "\(error)"])
                    seen.withLock { $0[queue, default: []].formUnion(left) }
                    break
                }
            }
        }
    }
}
