import CoreMetrics
import Logging
import Redis
import ServiceLifecycle
import Synchronization
import WaitingRoom

/// One releaser process: finds out which queues there are, takes its share of their locks, and looks after those (``QueueRounds``).
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

    private let domain = Mutex<(tenants: Tenants, queues: Queues, passes: PassSigner)?>(nil)
    /// What this process knows of the catalogue.
    let catalogue = CatalogueMemory()
    /// Set while it works.
    let rounds = Mutex<QueueRounds?>(nil)

    /// - Parameter alertPace: by default what is right outside of tests.
    init(
        configuration: ServiceConfiguration, redis: RedisClient, metrics: ReleaserMetrics, logger: Logger, alertPace: AlertPace? = nil
    ) {
        self.configuration = configuration
        var limits = Incidents.Limits(waiting: configuration.alerts.queueThreshold)
        limits.rebuild = .seconds(configuration.rebuildSeconds)
        self.alertPace = alertPace ?? AlertPace(limits: limits)
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
    var passes: PassSigner { domain.withLock { $0!.passes } }

    /// Works until shut down; then finishes what is under way and gives its locks back.
    func run() async {
        await cancelWhenGracefulShutdown {
            guard let secret = await self.secret() else { return }
            let queues = Queues(
                redis: self.redis, secret: secret, memory: self.catalogue, retentionHours: self.configuration.retentionHours,
                rebuildSeconds: self.configuration.rebuildSeconds)
            let passes = PassSigner(secret, issuer: self.configuration.publicURL)
            self.domain.withLock { $0 = (Tenants(redis: self.redis, secret: secret, memory: self.catalogue), queues, passes) }
            let keeper = CatalogueKeeper(
                queues: queues, keptSecret: self.configuration.secretKey == nil ? secret : nil, logger: self.logger)
            let alerts = Task { await AlertLoop(worker: self, pace: self.alertPace).run() }
            let losses = Task { await self.tellOfLosses() }
            // Who does not know all queues could not look after those in the shards that it locks.
            while !Task.isCancelled, (try? await keeper.keep()) == nil { try? await Task.sleep(for: self.locks.interval) }
            let keeping = Task { try? await keeper.run() }
            self.logger.info("Looking after queues", metadata: ["worker": "\(self.locks.worker)"])
            let catalogue = Task { await CatalogueCare(worker: self, secret: secret).run() }
            let rounds = QueueRounds(worker: self)
            self.rounds.withLock { $0 = rounds }
            let looking = Task { await rounds.run() }
            await self.shareQueues(rounds, keeper)
            looking.cancel()
            alerts.cancel()
            keeping.cancel()
            catalogue.cancel()
            losses.cancel()
            await looking.value
            await rounds.end()
            self.rounds.withLock { $0 = nil }
            await alerts.value
            await catalogue.value
            await losses.value
        }
        await stop()
    }

    /// For how long nobody is let in yet: ``Queues/reunion``.
    var reunion: Duration? { queues.reunion }

    /// Tells Redis, when it has lost people, whom this worker had let in: at once when Redis comes back, else well within the time that
    /// releases wait after a loss.
    private func tellOfLosses() async {
        let pause = Duration.milliseconds(max(250, min(5000, configuration.rebuildSeconds * 250)))
        var (told, returned) = (ContinuousClock.now, redis.returned)
        while !Task.isCancelled {
            let latest = redis.returned
            if latest != returned || told.duration(to: .now) >= pause, (try? await queues.tellOfLosses()) != nil {
                (told, returned) = (.now, latest)
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    /// The service's secret; `nil` when shut down before Redis could tell it.
    private func secret() async -> SecretKey? {
        try? await SecretKey.resolve(configured: configuration.secretKey, redis: redis, logger: logger)
    }

    /// Takes and keeps this worker's share of the locks until cancelled. Nothing changes while Redis is away: the steps themselves are safe
    /// without a lock.
    private func shareQueues(_ rounds: QueueRounds, _ keeper: CatalogueKeeper) async {
        var shards = QueueShards()
        var held: (shards: Set<UInt8>, version: Int)?
        while !Task.isCancelled {
            do {
                try await keeper.keepUp()
                let version = catalogue.version
                if version != shards.version {
                    let queues = catalogue.queues()
                    shards = QueueShards(version: version, queues)
                    metrics.forget(others: Set(queues.map(\.id)))
                }
                let mine = try await locks.share(shards.sizes)
                if held == nil || held! != (mine, version) {
                    rounds.hold(shards.queues(in: mine))
                    held = (mine, version)
                }
            } catch {
                logger.debug("The queues could not be shared out; the next try follows", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: locks.interval)
        }
    }

    private func stop() async {
        try? await locks.leave()
        // An attempt that takes longer comes back by its lease.
        await deliveries.finish(within: .seconds(min(configuration.callbacks.timeoutSeconds + 1, configuration.drainSeconds + Self.grace)))
        await sender.clients.shutdown()
        logger.info("Gave the queues back")
    }
}
