package import Logging
package import Redis
import ServiceLifecycle

/// Keeps this process's memory of the catalogue whole, so that it can be given back to a Redis that has lost it, and what is lost is given
/// back even if nobody asks for it.
///
/// Every five seconds all of it is compared, of each record only when it was changed; what differs is read.
package struct CatalogueKeeper: Service {
    private static let interval = Duration.seconds(5)

    private let catalogue: Catalogue
    private let queues: QueueMemory
    private let keptSecret: SecretKey?
    private let logger: Logger

    /// - Parameter keptSecret: the secret key when it is one that Redis keeps; `nil` when it is configured.
    package init(queues: Queues, keptSecret: SecretKey?, logger: Logger) {
        catalogue = queues.catalogue
        self.queues = queues.memory
        self.keptSecret = keptSecret
        self.logger = logger
    }

    /// Compares the catalogue every five seconds until shut down.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let next = ContinuousClock.now + Self.interval
                do {
                    try await keep(over: Self.interval / 2)
                } catch {
                    logger.debug("The catalogue could not be read; the next try follows", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(until: next, clock: .continuous)
            }
        }
    }

    /// Compares all of it once.
    /// - Parameter duration: over how long to spread what is many steps.
    package func keep(over duration: Duration = .zero) async throws(RedisError) {
        if let keptSecret { try await keptSecret.keep(in: catalogue.redis) }
        let steps = CatalogueRecord.Kind.allCases.map { catalogue.memory.identifiers($0).count / Catalogue.recordsAtOnce }.reduce(0, +)
        let pause = duration / max(1, steps)
        for kind in CatalogueRecord.Kind.allCases {
            for some in try await catalogue.batches(kind) {
                try await catalogue.compare(kind, some)
                if steps > 0 { try? await Task.sleep(for: pause) }
            }
        }
        // Those that have gone for good. What is lost is known here, and has come back.
        queues.forget(others: Set(catalogue.memory.identifiers(.queue)))
    }

    /// Reads the applications and queues that were made since this process looked last. Of several hundred at once it may leave some to
    /// ``keep(over:)``.
    package func keepUp() async throws(RedisError) {
        for kind in [CatalogueRecord.Kind.tenant, .queue] {
            var count = 8
            while count <= Catalogue.recordsAtOnce {
                let latest = try await catalogue.latest(kind, count)
                let new = latest.filter { !catalogue.memory.knows(kind, $0) }
                _ = try await catalogue.fields(kind, new)
                // When the oldest of them is known, so are those before it.
                if latest.count < count || new.last != latest.last { break }
                count *= 4
            }
        }
    }
}

extension Catalogue {
    fileprivate static let recordsAtOnce = 500

    /// The ids of a kind, those that were deleted and are known here too, as many in each part as are read at once.
    fileprivate func batches(_ kind: CatalogueRecord.Kind) async throws(RedisError) -> [[Identifier]] {
        let listed = try await identifiers(kind)
        let ids = listed + Set(memory.identifiers(kind)).subtracting(listed)
        return stride(from: 0, to: ids.count, by: Self.recordsAtOnce).map { Array(ids[$0..<min($0 + Self.recordsAtOnce, ids.count)]) }
    }

    /// Reads those of `ids` that Redis has in another state than is known here.
    fileprivate func compare(_ kind: CatalogueRecord.Kind, _ ids: [Identifier]) async throws(RedisError) {
        let replies = try await redis.pipeline(ids.map { RedisCommand("HMGET", .string(kind.key($0)), "created_at", "changed_at") })
        var different: [Identifier] = []
        for (id, reply) in zip(ids, replies) {
            let values = try reply.get().array ?? []
            let isThere = values.first?.string != nil
            if !isThere || !memory.isCurrent(kind, id, changed: values.last?.integer ?? 0) { different.append(id) }
        }
        _ = try await fields(kind, different)
    }

    /// All records, those that were deleted and are known here too.
    func all() async throws(RedisError) -> [CatalogueRecord] {
        var records: [CatalogueRecord] = []
        for kind in CatalogueRecord.Kind.allCases {
            for some in try await batches(kind) {
                for (id, fields) in zip(some, try await self.fields(kind, some)) {
                    if let fields { records.append(CatalogueRecord(kind: kind, id: id, fields: fields)) }
                }
            }
        }
        return records
    }
}
