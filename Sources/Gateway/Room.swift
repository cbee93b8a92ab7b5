import Logging
import Redis
import WaitingRoom

/// What the routes work with: the domain, and what this gateway knows of itself.
struct Room: Sendable {
    let configuration: ServiceConfiguration
    let redis: RedisClient
    let tenants: Tenants
    let queues: Queues
    let callbacks: Callbacks
    let incidents: Incidents
    let accounts: Accounts
    let audit: AuditLog
    let sessions: Sessions
    let limit: AttemptLimit
    /// `nil` when limits are off.
    let limits: RequestLimits?
    let signs: SignsOfLife
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
        tenants = Tenants(redis: redis, secret: secret)
        queues = Queues(redis: redis, secret: secret)
        callbacks = Callbacks(redis: redis)
        incidents = Incidents(redis: redis)
        accounts = Accounts(redis: redis, passwordHash: passwordHash)
        audit = AuditLog(redis: redis)
        sessions = await Sessions(secret: secret)
        limit = AttemptLimit(redis: redis)
        limits = RequestLimits(configuration.limits, limit: limit, metrics: metrics)
        signs = SignsOfLife(redis: redis, logger: logger)
        assets = try WebAssets()
        self.readiness = readiness
    }
}
