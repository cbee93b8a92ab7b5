import CoreMetrics
import Logging
import Redis
import ServiceLifecycle
import Synchronization
import WaitingRoom

/// One releaser process: finds out which queues there are, takes its share of their locks, and looks after those.
final class Worker: Service, Sendable {
    let configuration: ServiceConfiguration
    let redis: RedisClient
    let callbacks: Callbacks
    let metrics: ReleaserMetrics
    let logger: Logger
    let slots: CallbackSlots
    let deliveries = Deliveries()
    let sender: CallbackSender
    let retries: RetrySchedule
    let locks: QueueLocks
    private let alertPace: AlertPace
    /// Seconds beyond `DRAIN_SECONDS` that attempts under way may take at the end, of the ten within which the process is gone.
    private static let grace = 7

    private let domain = Mutex<(tenants: Tenants, queues: Queues)?>(nil)
    private let care = Mutex<[Identifier: Task<Void, Never>]>([:])

    /// - Parameter alertPace: by default what is right outside of tests.
    init(
        configuration: ServiceConfiguration, redis: RedisClient, metrics: ReleaserMetrics, logger: Logger, alertPace: AlertPace? = nil
    ) {
        self.configuration = configuration
        self.alertPace = alertPace ?? AlertPace(limits: .init(waiting: configuration.alerts.queueThreshold))
        self.redis = redis
        self.metrics = metrics
        self.logger = logger
        callbacks = Callbacks(redis: redis)
        locks = QueueLocks(redis: redis, worker: Identifier.random().compact, lifeMilliseconds: configuration.lockLifeMilliseconds)
        slots = CallbackSlots(limit: configuration.callbacks.concurrency)
        sender = CallbackSender(
            addresses: AddressGuard(allowsPrivate: configuration.callbacks.allowsPrivateAddresses),
            clients: CallbackClients(timeoutSeconds: configuration.callbacks.timeoutSeconds),
            timeoutSeconds: configuration.callbacks.timeoutSeconds)
        retries = RetrySchedule(maximumAttempts: configuration.callbacks.maximumAttempts)
    }

    /// Set before any queue is looked after.
    var tenants: Tenants { domain.withLock { $0!.tenants } }
    var queues: Queues { domain.withLock { $0!.queues } }

    /// Works until shut down; then finishes what is under way and gives its locks back.
    func run() async {
        await cancelWhenGracefulShutdown {
            guard let secret = await self.secret() else { return }
            self.domain.withLock { $0 = (Tenants(redis: self.redis, secret: secret), Queues(redis: self.redis, secret: secret)) }
            self.logger.info("Looking after queues", metadata: ["worker": "\(self.locks.worker)"])
            let alerts = Task { await AlertLoop(worker: self, pace: self.alertPace).run() }
            while !Task.isCancelled {
                await self.shareQueues()
                await self.measure()
                try? await Task.sleep(for: .milliseconds(min(500, max(50, self.configuration.lockLifeMilliseconds / 4))))
            }
            alerts.cancel()
            await alerts.value
        }
        await stop()
    }

    /// The service's secret; `nil` when shut down before Redis could tell it.
    private func secret() async -> SecretKey? {
        try? await SecretKey.resolve(configured: configuration.secretKey, redis: redis, logger: logger)
    }

    private func measure() async {
        metrics.callbacksUnderWay.record(Double(slots.underWay))
        let held = care.withLock { Array($0.keys) }
        metrics.locksHeld.record(Double(held.count))
        if let owed = try? await callbacks.owed(by: held) { metrics.callbacksOwed.record(Double(owed)) }
    }

    /// Takes, renews and gives back locks. Nothing changes while Redis is away: the steps themselves are safe without a lock.
    private func shareQueues() async {
        do {
            let living = try await locks.beat()
            let active = try await activeQueues()
            let byID = Dictionary(uniqueKeysWithValues: active.map { ($0.id, $0) })
            let held = Set(care.withLock { $0.keys })
            let share = QueueShare(active: active.map(\.id), held: held, workers: living, seed: locks.worker.hashValue)
            for id in share.surplus { await drop(id) }
            await renew(held.subtracting(share.surplus))
            var room = share.room
            for id in share.wanted where room > 0 {
                if let queue = byID[id], await claim(id) != .held {
                    take(queue)
                    room -= 1
                }
            }
        } catch {
            logger.debug("The queues could not be shared out; the next try follows", metadata: ["error": "\(error)"])
        }
    }

    /// Queues that have something to be looked after: not deleted, and of a tenant that is active.
    private func activeQueues() async throws -> [Queue] {
        let tenants = Set(try await tenants.list().filter(\.isActive).map(\.id))
        return try await queues.list().filter { tenants.contains($0.tenant) }
    }

    private func renew(_ held: Set<Identifier>) async {
        await withTaskGroup(of: (Identifier, QueueLocks.Claim).self) { group in
            for id in held { group.addTask { (id, await self.claim(id)) } }
            for await (id, claim) in group where claim == .held { await drop(id, freeing: false) }
        }
    }

    /// A lock that cannot be set, as when memory is full, must not stop the draining: the queue is looked after without.
    private func claim(_ id: Identifier) async -> QueueLocks.Claim {
        do {
            let claim = try await locks.claim(id)
            if claim == .taken { metrics.lockChanges.increment() }
            return claim
        } catch {
            return error.serverCode == "OOM" || care.withLock({ $0[id] != nil }) ? .kept : .held
        }
    }

    private func take(_ queue: Queue) {
        let care = QueueCare(worker: self, queue: queue)
        self.care.withLock { $0[queue.id] = Task { await care.run() } }
        logger.debug("Took a queue", metadata: ["queue_id": "\(queue.id)"])
    }

    private func drop(_ id: Identifier, freeing: Bool = true) async {
        guard let task = care.withLock({ $0.removeValue(forKey: id) }) else { return }
        task.cancel()
        await task.value
        if freeing { try? await locks.free(id) }
        logger.debug("Let go of a queue", metadata: ["queue_id": "\(id)"])
    }

    private func stop() async {
        let ids = care.withLock { Array($0.keys) }
        await withTaskGroup(of: Void.self) { group in
            for id in ids { group.addTask { await self.drop(id) } }
        }
        // An attempt that takes longer comes back by its lease.
        await deliveries.finish(within: .seconds(min(configuration.callbacks.timeoutSeconds + 1, configuration.drainSeconds + Self.grace)))
        try? await locks.leave()
        await sender.clients.shutdown()
        logger.info("Gave the queues back")
    }
}
