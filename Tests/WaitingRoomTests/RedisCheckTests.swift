import Logging
import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("Redis at the start")
struct RedisCheckTests {
    @Test("a server that is set up as the promises need is not complained about")
    func fine() async throws {
        let arguments = ["--appendonly", "yes", "--maxmemory", "100mb", "--maxmemory-policy", "noeviction"]
        #expect(try await complaints(arguments, promised: .everysec).isEmpty)
        #expect(try await complaints([], promised: .none).isEmpty)
    }

    @Test("eviction, an append-only file that keeps less than promised, and a replica: a line each that says what to do")
    func wrong() async throws {
        for (arguments, promised, words) in [
            (["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"], .none, "set it to noeviction"),
            (["--maxmemory", "100mb", "--maxmemory-policy", "volatile-ttl"], .none, "set it to noeviction"),
            ([], .everysec, "set appendonly yes and appendfsync everysec"),
            (["--appendonly", "yes", "--appendfsync", "no"], .everysec, "set appendonly yes and appendfsync everysec"),
            (["--appendonly", "yes"], .always, "set appendonly yes and appendfsync always"),
            (["--replicaof", "127.0.0.1", "1"], .none, "have REDIS_URL name the primary"),
        ] as [([String], ServiceConfiguration.Durability, String)] {
            let complaints = try await complaints(arguments, promised: promised)
            #expect(complaints.count == 1 && complaints[0].contains(words), "\(complaints)")
        }
    }

    @Test("where CONFIG is forbidden, nothing is made up")
    func forbidden() async throws {
        let user = ["--user", "default", "on", "nopass", "+@all", "-config", "~*", "&*"]
        #expect(try await complaints(user + ["--appendonly", "yes"], promised: .always).isEmpty)
        #expect(
            try await complaints(["--user", "default", "on", "nopass", "+@all", "-config", "-info", "~*", "&*"], promised: .always).isEmpty)
    }

    @Test("what may take over needs a replica that has it all")
    func failover() {
        let requirements = RedisRequirements(durability: .none, failsOver: true)
        let info = RedisInfo("role:master\r\nconnected_slaves:1\r\n")
        #expect(requirements.problems(info, settings: ["min-replicas-to-write": "0"]).first?.contains("min-replicas-to-write 1") == true)
        #expect(requirements.problems(info, settings: ["min-replicas-to-write": "1"]).isEmpty)
        #expect(requirements.problems(RedisInfo("connected_slaves:0"), settings: ["min-replicas-to-write": "0"]).isEmpty)
    }

    @Test("a server before version 7 is refused", arguments: [("6.2.14", true), ("5", true), ("7.0.15", false), ("8.2.0", false)])
    func version(_ version: String, isRefused: Bool) {
        let refusal = RedisRequirements(durability: .none, failsOver: false).refusal(RedisInfo("# Server\r\nredis_version:\(version)\r\n"))
        #expect((refusal != nil) == isRefused)
    }

    /// What is logged at the start with a server of these arguments.
    private func complaints(_ arguments: [String], promised: ServiceConfiguration.Durability) async throws -> [String] {
        let complaints = Locked<[String]>([])
        try await withRedis(arguments: arguments) { _, redis in
            let logger = Logger(label: "test") { _ in ErrorLog(errors: complaints) }
            try await RedisCheck(RedisRequirements(durability: promised, failsOver: false), redis: redis, logger: logger).run()
        }
        return complaints.get()
    }
}

/// Keeps the errors that are logged.
private struct ErrorLog: LogHandler {
    let errors: Locked<[String]>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        if event.level == .error { errors.update { $0.append("\(event.message)") } }
    }
}
