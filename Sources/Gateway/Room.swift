import Logging
import Redis
import WaitingRoom

/// What the routes work with: the domain, and what this gateway knows of itself.
final class Room: Sendable {
    let configuration: ServiceConfiguration
    let redis: RedisClient
    let tenants: Tenants
    let queues: Queues
    let callbacks: Callbacks
    let incidents: Incidents
    let accounts: Accounts
    let audit: AuditLog
    let sessions: Sessions
    let passes: PassSigner
    let challenges: Challenges
    let revocations: Revocations
    let limit: AttemptLimit
    /// `nil` when limits are off.
    let limits: RequestLimits?
    let views: QueueViews
    let signs: SignsOfLife
    let keeper: CatalogueKeeper
    let leases: OutageLeases
    let streams: StatusStreams
    let assets: WebAssets
    let readiness: Readiness
    let metrics: GatewayMetrics
    let logger: Logger

    init(
        configuration: ServiceConfiguration, redis: RedisClient, secret: SecretKey, metrics: GatewayMetrics,
        passwordHash: PasswordHash = .standard, readiness: Readiness = Readiness(), logger: Logger
    ) async throws {
        self.configuration = configuration
        self.redis = redis
        self.metrics = metrics
        self.logger = logger
        let memory = CatalogueMemory()
        tenants = Tenants(redis: redis, secret: secret, memory: memory)
        queues = Queues(
            redis: redis, secret: secret, memory: memory, retentionHours: configuration.retentionHours,
            rebuildSeconds: configuration.rebuildSeconds)
        callbacks = Callbacks(redis: redis)
        incidents = Incidents(redis: redis)
        accounts = Accounts(redis: redis, passwordHash: passwordHash, memory: memory)
        audit = AuditLog(redis: redis)
        sessions = await Sessions(secret: secret)
        passes = PassSigner(secret, issuer: configuration.publicURL)
        challenges = Challenges(secret)
        revocations = Revocations(redis: redis, passes: passes)
        limit = AttemptLimit(redis: redis)
        limits = RequestLimits(configuration.limits, limit: limit, metrics: metrics)
        views = QueueViews(queues: queues)
        signs = SignsOfLife(queues: queues, views: views, logger: logger)
        keeper = CatalogueKeeper(queues: queues, keptSecret: configuration.secretKey == nil ? secret : nil, logger: logger)
        leases = OutageLeases(queues: queues, tenants: tenants, logger: logger)
        streams = StatusStreams(
            queues: queues, views: views, tenants: tenants, signs: signs, leases: leases, passes: passes, metrics: metrics,
            most: configuration.maximumStreams)
        assets = try WebAssets()
        self.readiness = readiness
    }

    /// Where the holder of a ticket stands, as all gateways tell it.
    func status(_ ticket: Ticket, in queue: Queue) async throws(RedisError) -> Entry? {
        guard let entry = try await queues.status(ticket) else { return nil }
        return try await told(entry, in: queue)
    }

    /// An entry as all gateways tell it to its holder.
    func told(_ entry: Entry, in queue: Queue) async throws(RedisError) -> Entry {
        if let told = views.told(entry, in: queue) { return told }
        try await views.fetch(queue)
        return views.told(entry, in: queue) ?? entry
    }
}
