/// One environment variable that both programs know: the single list that `--help` prints and reading goes by.
package struct ConfigurationVariable: Sendable {
    package let name: String
    /// The default as people read it.
    package let fallback: String
    package let meaning: String
    package var isSecret = false

    package static let all: [ConfigurationVariable] = [
        .init(
            name: "APP_ENV", fallback: "development",
            meaning: "development or production; production requires SECRET_KEY, ADMIN_EMAIL and ADMIN_PASSWORD"),
        .init(
            name: "REDIS_URL", fallback: "redis://127.0.0.1:6379/0",
            meaning: """
                redis://[user:password@]host:port[/db], unix:///path[?db=0], redis+sentinel://host:port,host:port/primary[/db] or \
                redis+cluster://host:port,host:port; rediss for TLS
                """,
            isSecret: true),
        .init(name: "REDIS_CA_FILE", fallback: "the system's", meaning: "CA certificates (PEM) for TLS to Redis"),
        .init(name: "REDIS_CERT_FILE", fallback: "none", meaning: "this client's certificate (PEM), where Redis wants one"),
        .init(name: "REDIS_KEY_FILE", fallback: "none", meaning: "that certificate's key (PEM)"),
        .init(name: "REDIS_SENTINEL_PASSWORD", fallback: "none", meaning: "the sentinels' own password", isSecret: true),
        .init(name: "REDIS_SERVER_NAME", fallback: "the host", meaning: "the name that Redis's certificate must be for"),
        .init(
            name: "REDIS_DURABILITY", fallback: "everysec; development: none",
            meaning: "none, everysec or always: what Redis's append-only file must keep; if it keeps less, the start says so"),
        .init(name: "HOST", fallback: "127.0.0.1", meaning: "where the gateway listens"),
        .init(name: "PORT", fallback: "8080", meaning: "the gateway's port"),
        .init(name: "PUBLIC_URL", fallback: "http://HOST:PORT", meaning: "the address that browsers use"),
        .init(
            name: "METRICS_PORT", fallback: "releaser 9091, gateway none",
            meaning: "/metrics and /health* of the releaser; set for the gateway, its /metrics moves there"),
        .init(
            name: "SECRET_KEY", fallback: "development: made at first start, kept in Redis",
            meaning: "at least 32 characters; new,old rotates", isSecret: true),
        .init(name: "ADMIN_EMAIL", fallback: "development: admin@localhost", meaning: "the first super_admin"),
        .init(name: "ADMIN_PASSWORD", fallback: "development: generated, printed once", meaning: "that account's password", isSecret: true),
        .init(name: "RELEASE_TICK_MS", fallback: "100", meaning: "shortest pause between two release steps of a fast queue, ms"),
        .init(name: "LOCK_TTL_MS", fallback: "2000", meaning: "how long a worker keeps its queues without a sign of life, ms"),
        .init(name: "CALLBACK_TIMEOUT_SECONDS", fallback: "10", meaning: "how long one attempt may take"),
        .init(name: "CALLBACK_MAX_ATTEMPTS", fallback: "5", meaning: "attempts before a callback is dead-lettered"),
        .init(name: "CALLBACK_CONCURRENCY", fallback: "256", meaning: "callbacks under way at once in one worker"),
        .init(
            name: "CALLBACK_ALLOW_PRIVATE", fallback: "false; development: true",
            meaning: "whether callbacks may go to loopback, private, link-local and metadata addresses"),
        .init(name: "RATE_LIMIT", fallback: "on", meaning: "on or off"),
        .init(name: "POLL_LIMIT_PER_MINUTE", fallback: "60", meaning: "polls for each ticket"),
        .init(name: "JOIN_LIMIT_PER_MINUTE", fallback: "600", meaning: "joins for each address (IPv6: each /64)"),
        .init(name: "RATE_LIMIT_PER_MINUTE", fallback: "1000", meaning: "management calls for each credential"),
        .init(
            name: "MAX_STREAMS", fallback: "10000",
            meaning: "streams of events that a gateway keeps open; 0 for none: then pages poll"),
        .init(name: "TRUSTED_PROXIES", fallback: "none", meaning: "CIDRs whose X-Forwarded-For counts, separated by commas"),
        .init(name: "ALLOWED_ORIGINS", fallback: "*", meaning: "CORS: origins separated by commas, or *"),
        .init(name: "OPEN_TENANTS", fallback: "false; development: true", meaning: "whether anyone may create walk-in queues"),
        .init(name: "DEFAULT_TENANT_ID", fallback: "default_tenant", meaning: "application to which the address /queue leads"),
        .init(name: "DEFAULT_QUEUE_ID", fallback: "main", meaning: "walk-in queue to which /queue and /queue/<application> lead"),
        .init(name: "AVG_SERVICE_TIME_MINUTES", fallback: "4", meaning: "minutes a walk-in customer takes, until some were served"),
        .init(
            name: "RETENTION_HOURS", fallback: "24", meaning: "how long finished entries, and what was deleted, stay; 0.5 is half an hour"),
        .init(name: "SMTP_HOST", fallback: "none", meaning: "mail server for alerts, which go to ADMIN_EMAIL"),
        .init(
            name: "SMTP_PORT", fallback: "587",
            meaning: "its port: TLS on 465; elsewhere STARTTLS, which must succeed on 587 and wherever there is a password"),
        .init(name: "SMTP_USER", fallback: "none", meaning: "its user, and the sender when it is an e-mail address"),
        .init(name: "SMTP_PASS", fallback: "none", meaning: "its password", isSecret: true),
        .init(name: "WEBHOOK_URL", fallback: "none", meaning: "Slack or Teams address for alerts", isSecret: true),
        .init(name: "QUEUE_THRESHOLD", fallback: "100", meaning: "queue length that raises an alert"),
        .init(name: "LOG_LEVEL", fallback: "info", meaning: "trace, debug, info, notice, warning, error or critical"),
        .init(name: "LOG_FORMAT", fallback: "text on a terminal, else json", meaning: "text or json"),
        .init(name: "REBUILD_SECONDS", fallback: "30", meaning: "how long a queue that lost its data waits for its visitors' tickets"),
        .init(
            name: "DRAIN_SECONDS", fallback: "5; development: 0", meaning: "after SIGTERM: not ready, but still answering, for this long"),
    ]

    /// Names of the programs that this service came from, which mean nothing here.
    package static let foreign = ["FLASK_ENV", "MONGO_URI", "MONGO_DB_NAME", "DB_URL", "WAITING_TIME_WEIGHT"]

    /// What `--help` says of every variable.
    package static var help: String {
        all.map { "  \($0.name)\n      \($0.meaning)\n      default: \($0.fallback)" }.joined(separator: "\n")
    }
}
