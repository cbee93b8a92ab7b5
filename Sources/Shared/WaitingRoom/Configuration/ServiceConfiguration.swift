package import Configuration
package import Logging
package import Redis
import SystemPackage

/// What both programs are told by their environment, checked. The variables, their defaults and meanings: ``ConfigurationVariable/all``.
package struct ServiceConfiguration: Sendable {
    package struct Callbacks: Sendable, Equatable {
        package let timeoutSeconds: Int
        package let maximumAttempts: Int
        package let concurrency: Int
        package let allowsPrivateAddresses: Bool
    }

    package struct Limits: Sendable, Equatable {
        package let isOn: Bool
        package let pollsPerMinute: Int
        package let joinsPerMinute: Int
        package let managementPerMinute: Int
        /// Sign-ins per account and address, fixed by the contract.
        package let signInsPerMinute = 10
    }

    /// How much of what was acknowledged Redis keeps through a power loss, in rising order: nothing for sure, all but the last second, all.
    package enum Durability: String, Sendable, CaseIterable, Comparable {
        case none, everysec, always

        package static func < (one: Durability, other: Durability) -> Bool {
            allCases.firstIndex(of: one)! < allCases.firstIndex(of: other)!
        }
    }

    package let isProduction: Bool
    package let redis: RedisConfiguration
    /// What Redis is expected to keep.
    package let durability: Durability
    package let host: String
    package let port: Int
    package let publicURL: String
    /// `nil` when not set; the releaser then takes 9091.
    package let metricsPort: Int?
    /// `nil` in development when not set: made at the first start and kept in Redis.
    package let secretKey: SecretKey?
    package let adminEmail: String
    /// `nil` in development when not set: generated.
    package let adminPassword: String?
    package let releaseTickMilliseconds: Int
    package let lockLifeMilliseconds: Int
    package let callbacks: Callbacks
    package let limits: Limits
    /// Streams of events that a gateway keeps open.
    package let maximumStreams: Int
    /// Whose `X-Forwarded-For` counts.
    package let trustedProxies: [AddressRange]
    /// `["*"]` for any.
    package let allowedOrigins: [String]
    package let openTenants: Bool
    package let defaultTenant: String
    package let defaultQueue: String
    package let averageServiceMinutes: Double
    package let retentionHours: Double
    package let alerts: Alerts
    package let logLevel: String
    /// `nil` when not set: text on a terminal, else JSON.
    package let logFormat: String?
    package let rebuildSeconds: Int
    package let drainSeconds: Int
    /// Variables of the programs that this service came from that are set, and mean nothing.
    package let foreignVariables: [String]

    /// Reads the configuration from the environment, then the file `.env` in the working directory.
    /// - Throws: ``ConfigurationError`` for the first variable that is wrong.
    package static func load() async throws -> ServiceConfiguration {
        let environment = EnvironmentVariablesProvider()
        let file = try await EnvironmentVariablesProvider(environmentFilePath: ".env", allowMissing: true)
        return try ServiceConfiguration(ConfigReader(providers: [environment, file]))
    }

    /// - Throws: ``ConfigurationError`` for the first variable that is wrong.
    package init(_ reader: ConfigReader) throws {
        let values = ConfigurationValues(reader: reader)
        isProduction = try values.choice("APP_ENV", of: ["development", "production"], fallback: "development") == "production"
        redis = try Self.redis(values)
        let expected = isProduction ? Durability.everysec : .none
        durability =
            Durability(
                rawValue: try values.choice("REDIS_DURABILITY", of: Durability.allCases.map(\.rawValue), fallback: expected.rawValue))
            ?? expected
        host = values.text("HOST") ?? "127.0.0.1"
        port = try values.integer("PORT", 1...65_535, fallback: 8080)
        publicURL = try values.url("PUBLIC_URL") ?? "http://\(host):\(port)"
        metricsPort = try values.optionalInteger("METRICS_PORT", 1...65_535)
        secretKey = try Self.secret(values, required: isProduction)
        adminEmail = try values.text("ADMIN_EMAIL", required: isProduction, expected: "an e-mail address") ?? "admin@localhost"
        guard adminEmail.contains("@") else { throw ConfigurationError("ADMIN_EMAIL", held: adminEmail, expected: "an e-mail address") }
        adminPassword = try values.text("ADMIN_PASSWORD", required: isProduction, expected: "a password")
        releaseTickMilliseconds = try values.integer("RELEASE_TICK_MS", 10...10_000, fallback: 100)
        lockLifeMilliseconds = try values.integer("LOCK_TTL_MS", 100...600_000, fallback: 2000)
        callbacks = Callbacks(
            timeoutSeconds: try values.integer("CALLBACK_TIMEOUT_SECONDS", 1...300, fallback: 10),
            maximumAttempts: try values.integer("CALLBACK_MAX_ATTEMPTS", 1...100, fallback: 5),
            concurrency: try values.integer("CALLBACK_CONCURRENCY", 1...10_000, fallback: 256),
            allowsPrivateAddresses: try values.flag("CALLBACK_ALLOW_PRIVATE", fallback: !isProduction))
        limits = Limits(
            isOn: try values.choice("RATE_LIMIT", of: ["on", "off"], fallback: "on") == "on",
            pollsPerMinute: try values.integer("POLL_LIMIT_PER_MINUTE", 1...1_000_000, fallback: 60),
            joinsPerMinute: try values.integer("JOIN_LIMIT_PER_MINUTE", 1...1_000_000, fallback: 600),
            managementPerMinute: try values.integer("RATE_LIMIT_PER_MINUTE", 1...1_000_000, fallback: 1000))
        maximumStreams = try values.integer("MAX_STREAMS", 0...1_000_000, fallback: 10_000)
        trustedProxies = try values.list("TRUSTED_PROXIES").map { text in
            guard let range = AddressRange(text) else {
                throw ConfigurationError("TRUSTED_PROXIES", held: text, expected: "CIDRs such as 10.0.0.0/8 or fd00::/8, divided by commas")
            }
            return range
        }
        allowedOrigins = values.text("ALLOWED_ORIGINS") == nil ? ["*"] : values.list("ALLOWED_ORIGINS")
        openTenants = try values.flag("OPEN_TENANTS", fallback: !isProduction)
        defaultTenant = values.text("DEFAULT_TENANT_ID") ?? "default_tenant"
        defaultQueue = values.text("DEFAULT_QUEUE_ID") ?? "main"
        averageServiceMinutes = try values.number("AVG_SERVICE_TIME_MINUTES", above: 0, atMost: 1440, fallback: 4)
        retentionHours = try values.number("RETENTION_HOURS", above: 0, atMost: 8760, fallback: 24)
        logLevel = try values.choice("LOG_LEVEL", of: Logger.Level.allCases.map(\.rawValue), fallback: "info")
        logFormat = try values.text("LOG_FORMAT") == nil ? nil : values.choice("LOG_FORMAT", of: ["text", "json"], fallback: "json")
        rebuildSeconds = try values.integer("REBUILD_SECONDS", 0...3600, fallback: 30)
        drainSeconds = try values.integer("DRAIN_SECONDS", 0...600, fallback: isProduction ? 5 : 0)
        alerts = try Alerts(values, adminEmail: adminEmail)
        foreignVariables = ConfigurationVariable.foreign.filter { values.text($0) != nil }
    }

    /// Tells of ``foreignVariables``, if there are any.
    package func tellForeignVariables(to logger: Logger) {
        guard !foreignVariables.isEmpty else { return }
        logger.notice("These variables have no meaning here and are ignored: \(foreignVariables.joined(separator: ", "))")
    }

    private static func redis(_ values: ConfigurationValues) throws -> RedisConfiguration {
        let url = values.text("REDIS_URL") ?? "redis://127.0.0.1:6379/0"
        let expected = ConfigurationVariable.all.first { $0.name == "REDIS_URL" }!.meaning
        var redis: RedisConfiguration
        do {
            redis = try RedisConfiguration(url: url) { try tls(values) }
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw ConfigurationError("REDIS_URL", held: url, expected: "\(expected): \(error)")
        }
        redis.sentinelPassword = values.text("REDIS_SENTINEL_PASSWORD")
        return redis
    }

    private static func tls(_ values: ConfigurationValues) throws -> RedisTLS {
        let files = RedisTLS.Files(
            authorities: values.text("REDIS_CA_FILE"), certificate: values.text("REDIS_CERT_FILE"), key: values.text("REDIS_KEY_FILE"))
        if (files.certificate == nil) != (files.key == nil) {
            throw ConfigurationError(
                files.key == nil ? "REDIS_KEY_FILE" : "REDIS_CERT_FILE", held: nil,
                expected: "a file: a certificate and its key go together")
        }
        do {
            return try RedisTLS(files, serverName: values.text("REDIS_SERVER_NAME"))
        } catch {
            switch error {
            case .authorities:
                throw ConfigurationError("REDIS_CA_FILE", held: files.authorities, expected: "a readable PEM file of CA certificates")
            case .certificate:
                throw ConfigurationError("REDIS_CERT_FILE", held: files.certificate, expected: "a readable PEM file with a certificate")
            case .key:
                throw ConfigurationError("REDIS_KEY_FILE", held: files.key, expected: "a readable PEM file with the certificate's key")
            }
        }
    }

    private static func secret(_ values: ConfigurationValues, required: Bool) throws -> SecretKey? {
        let expected = "at least 32 characters, or new,old of at least 32 each"
        guard let text = try values.text("SECRET_KEY", required: required, expected: expected) else { return nil }
        guard let secret = SecretKey(text) else { throw ConfigurationError("SECRET_KEY", held: text, expected: expected) }
        return secret
    }
}

/// Whatever holds a configuration may end up in a log line: its description shows none of its secrets.
extension ServiceConfiguration: CustomStringConvertible, CustomReflectable {
    package var description: String { "ServiceConfiguration" }

    package var customMirror: Mirror { Mirror(self, children: []) }
}
