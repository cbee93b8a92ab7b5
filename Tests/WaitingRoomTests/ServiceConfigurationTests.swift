import Configuration
import Testing

@testable import WaitingRoom

@Suite("Configuration")
struct ServiceConfigurationTests {
    private static let production = [
        "APP_ENV": "production", "SECRET_KEY": String(repeating: "k", count: 32), "ADMIN_EMAIL": "ann@example.com",
        "ADMIN_PASSWORD": "a password",
    ]

    private func read(_ variables: [String: String]) throws -> ServiceConfiguration {
        try ServiceConfiguration(ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: variables)))
    }

    /// What is said of `variables`.
    private func complaint(_ variables: [String: String]) -> ConfigurationError? {
        do {
            _ = try read(variables)
            return nil
        } catch {
            return error as? ConfigurationError
        }
    }

    @Test("nothing set is a development machine that works")
    func development() throws {
        let configuration = try read([:])
        #expect(!configuration.isProduction)
        #expect(configuration.publicURL == "http://127.0.0.1:8080")
        #expect(configuration.secretKey == nil)
        #expect(configuration.callbacks.allowsPrivateAddresses)
        #expect(configuration.openTenants)
        #expect(configuration.drainSeconds == 0)
    }

    @Test("production is careful by default")
    func production() throws {
        let configuration = try read(Self.production)
        #expect(configuration.isProduction)
        #expect(!configuration.callbacks.allowsPrivateAddresses)
        #expect(!configuration.openTenants)
        #expect(configuration.drainSeconds == 5)
    }

    @Test("production needs what development makes up", arguments: ["SECRET_KEY", "ADMIN_EMAIL", "ADMIN_PASSWORD"])
    func required(variable: String) {
        for value in [nil, ""] {
            var variables = Self.production
            variables[variable] = value
            #expect(complaint(variables)?.variable == variable)
        }
    }

    @Test(
        "a wrong value names its variable",
        arguments: [
            ("APP_ENV", "staging"), ("REDIS_URL", "mysql://host"), ("REDIS_URL", "rediss://host:port"),
            ("REDIS_URL", "redis+sentinel://host:26379"), ("REDIS_URL", "redis+cluster://host:6379/1"), ("PORT", "0"), ("PORT", "80a"),
            ("PORT", "65536"), ("PUBLIC_URL", "wait.example"), ("METRICS_PORT", "-1"), ("SECRET_KEY", "short"),
            ("SECRET_KEY", String(repeating: "k", count: 32) + ",short"), ("ADMIN_EMAIL", "ann"), ("RELEASE_TICK_MS", "0"),
            ("LOCK_TTL_MS", "1"), ("CALLBACK_TIMEOUT_SECONDS", "0"), ("CALLBACK_MAX_ATTEMPTS", "0"), ("CALLBACK_CONCURRENCY", "x"),
            ("CALLBACK_ALLOW_PRIVATE", "perhaps"), ("RATE_LIMIT", "maybe"), ("POLL_LIMIT_PER_MINUTE", "0"),
            ("JOIN_LIMIT_PER_MINUTE", "0"), ("RATE_LIMIT_PER_MINUTE", "0"), ("MAX_STREAMS", "-1"), ("TRUSTED_PROXIES", "10.0.0.0/33"),
            ("OPEN_TENANTS", "2"),
            ("AVG_SERVICE_TIME_MINUTES", "0"), ("RETENTION_HOURS", "0"), ("RETENTION_HOURS", "8761"), ("RETENTION_HOURS", "nan"),
            ("SMTP_PORT", "mail"), ("WEBHOOK_URL", "slack"),
            ("QUEUE_THRESHOLD", "0"), ("LOG_LEVEL", "loud"), ("LOG_FORMAT", "xml"), ("REBUILD_SECONDS", "-1"), ("DRAIN_SECONDS", "601"),
        ])
    func wrong(variable: String, value: String) {
        #expect(complaint([variable: value])?.variable == variable)
    }

    @Test("alerts: TLS on 465, STARTTLS on 587 and wherever there is a password; mail comes from the user if that is an address")
    func alerts() throws {
        let nobody = try read([:]).alerts
        #expect(nobody.mail == nil)
        #expect(nobody.webhookURL == nil)
        #expect(nobody.queueThreshold == 100)
        let base = [
            "SMTP_HOST": "mail.example", "ADMIN_EMAIL": "ann@example.com", "QUEUE_THRESHOLD": "7", "WEBHOOK_URL": "https://a.example/x/",
        ]
        let alerts = try read(base).alerts
        #expect(alerts.mail == .init(host: "mail.example", port: 587, credentials: nil, recipient: "ann@example.com"))
        #expect(alerts.mail?.sender == "ann@example.com")
        #expect(alerts.webhookURL == "https://a.example/x/")
        #expect(alerts.queueThreshold == 7)
        let account = ["SMTP_USER": "bot@example.com", "SMTP_PASS": "hush"]
        #expect(try read(base.merging(account) { $1 }).alerts.mail?.sender == "bot@example.com")
        #expect(try read(base.merging(["SMTP_USER": "bot", "SMTP_PASS": "hush"]) { $1 }).alerts.mail?.sender == "ann@example.com")
        func security(_ port: String, _ more: [String: String] = [:]) throws -> ServiceConfiguration.Mail.Security? {
            try read(base.merging(more) { $1 }.merging(["SMTP_PORT": port]) { $1 }).alerts.mail?.security
        }
        #expect(try security("465", account) == .tls)
        #expect(try security("587") == .startTLS)
        #expect(try security("2525", account) == .startTLS)
        #expect(try security("1025") == .opportunistic)
    }

    @Test("mail that could not be sent stops the start, and the complaint names what is missing")
    func mail() {
        #expect(complaint(["SMTP_HOST": "h", "SMTP_USER": "u"])?.variable == "SMTP_PASS")
        #expect(complaint(["SMTP_HOST": "h", "SMTP_PASS": "p"])?.variable == "SMTP_USER")
        #expect(complaint(["SMTP_USER": "u", "SMTP_PASS": "p"])?.variable == "SMTP_HOST")
        for host in ["smtp://h", "h:25", "h/x", "h x"] { #expect(complaint(["SMTP_HOST": host])?.variable == "SMTP_HOST") }
        for address in ["a@b@c", "@b", "a b@c", "a@b\r\nBcc: c@d", "<a@b>"] {
            #expect(complaint(["SMTP_HOST": "h", "ADMIN_EMAIL": address])?.variable == "ADMIN_EMAIL")
        }
    }

    @Test("no secret is in what is said of it")
    func secrets() throws {
        for (variable, value) in [("SECRET_KEY", "hush"), ("REDIS_URL", "mysql://ann:hush@host"), ("WEBHOOK_URL", "hush")] {
            let said = try #require(complaint([variable: value])).description
            #expect(!said.contains("hush"))
        }
    }

    @Test("variables of the programs before this one are told apart")
    func foreign() throws {
        #expect(try read(["MONGO_URI": "x", "PORT": "81"]).foreignVariables == ["MONGO_URI"])
    }

    @Test("every variable is in the help")
    func help() {
        for variable in ConfigurationVariable.all { #expect(ConfigurationVariable.help.contains(variable.name)) }
    }
}
