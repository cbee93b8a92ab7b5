import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Redis
import TestSupport
import Testing
import WaitingRoom

@Suite("The programs themselves")
struct ProgramTests {
    @Test("help lists every variable; version and unknown arguments answer at once", arguments: ["Gateway", "Releaser"])
    func arguments(name: String) async throws {
        let help = try Program(name, ["--help"])
        #expect(try await help.end() == 0)
        for variable in ConfigurationVariable.all { #expect(help.text.contains("  \(variable.name)\n")) }
        let version = try Program(name, ["--version"])
        #expect(try await version.end() == 0)
        #expect(version.text.contains(anteroomVersion))
        let wrong = try Program(name, ["--nope"])
        #expect(try await wrong.end() == 64)
        for program in [help, version, wrong] { program.remove() }
    }

    @Test("a wrong value stops the start with one line and code 78, and shows no secret", arguments: ["Gateway", "Releaser"])
    func wrongConfiguration(name: String) async throws {
        for (variable, value) in [
            ("PORT", "eighty"), ("SECRET_KEY", "tooshort"), ("REDIS_URL", "redis://:hunter2@/"), ("APP_ENV", "test"),
            ("PUBLIC_URL", "example.com"),
            ("LOCK_TTL_MS", "-1"), ("CALLBACK_ALLOW_PRIVATE", "maybe"), ("APP_ENV", "production"), ("LOG_LEVEL", "loud"),
        ] {
            let program = try Program(name, environment: [variable: value])
            #expect(try await program.end() == 78)
            let lines = program.text.split(separator: "\n")
            #expect(lines.count == 1)
            #expect(lines.first?.contains(value == "production" ? "SECRET_KEY" : variable) == true)
            #expect(!program.text.contains("hunter2") && !program.text.contains("tooshort"))
            program.remove()
        }
    }

    @Test("a port that is taken stops the start with one line and code 1")
    func portTaken() async throws {
        try await Installation.with { site in
            for (name, variable) in [("Gateway", "PORT"), ("Releaser", "METRICS_PORT")] {
                let program = try Program(
                    name,
                    environment: [
                        "REDIS_URL": site.redis.url, "SECRET_KEY": Installation.secretKey, "ADMIN_PASSWORD": Installation.password,
                        variable: String(site.port),
                    ])
                #expect(try await program.end() == 1)
                let lines = program.text.split(separator: "\n").filter { !$0.hasPrefix("{") }
                #expect(lines.count == 1 && lines.first?.contains("Address already in use") == true, "\(program.text)")
                #expect(lines.first?.contains(variable) == true)
                program.remove()
            }
        }
    }

    @Test("SIGTERM: not ready at once, still answering while it drains, then exit 0")
    func drain() async throws {
        try await Installation.with(environment: ["DRAIN_SECONDS": "5"]) { site in
            let port = freePort()
            let gateway = try await site.gateway(port: port)
            gateway.signal(SIGTERM)
            try await eventually("it is not ready") { (try? await site.get("/health/ready", port: port).status) == 503 }
            #expect(try await site.get("/health/live", port: port).status == 200)
            #expect(try await gateway.end(within: .seconds(15)) == 0)
            let releaser = try await site.releaser()
            releaser.signal(SIGTERM)
            #expect(try await releaser.end(within: .seconds(12)) == 0)
        }
    }

    @Test("a gateway that never found Redis says so, and ends when told to")
    func neverFoundRedis() async throws {
        let port = freePort()
        let nowhere = ["REDIS_URL": "unix:///nonexistent/redis.sock", "PORT": String(port)]
        let gateway = try Program("Gateway", environment: nowhere.merging(["SECRET_KEY": Installation.secretKey]) { $1 })
        let address = "http://127.0.0.1:\(port)/health"
        try await eventually("it is alive") { try await status(address + "/live") == 200 }
        #expect(try await status(address + "/ready") == 503)
        #expect(try await status(address) == 503)
        // Nobody is known yet: that is no wrong password.
        var signIn = HTTPClientRequest(url: "http://127.0.0.1:\(port)/auth/login")
        signIn.method = .POST
        signIn.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        signIn.body = .bytes(ByteBuffer(string: "username=admin@localhost&password=x"))
        #expect(try await HTTPClient.shared.execute(signIn, timeout: .seconds(10)).status == .serviceUnavailable)
        // One that keeps its key in Redis cannot answer without.
        let keyless = try Program("Gateway", environment: nowhere)
        try await eventually("it has looked for Redis") { keyless.text.contains("No connection to Redis") }
        for program in [gateway, keyless] {
            program.signal(SIGTERM)
            #expect(try await program.end(within: .seconds(12)) == 0)
            program.remove()
        }
    }

    private func status(_ address: String) async throws -> UInt? {
        try? await HTTPClient.shared.execute(HTTPClientRequest(url: address), timeout: .seconds(5)).status.code
    }

    @Test("a releaser outlives Redis")
    func redisGone() async throws {
        try await Installation.with { site in
            let releaser = try await site.releaser()
            site.redis.crash()
            try await Task.sleep(for: .seconds(2))
            #expect(releaser.isRunning)
            try await site.redis.start()
            let token = try await eventuallySignedIn(site)
            let shop = try await site.application(token, callbackURL: nil)
            let queue = try await site.queue(token, of: shop, ratePerMinute: 600)
            let ticket = try #require(try await site.join(queue, of: shop, visitor: "v").json["token"]?.string)
            try await eventually("the visitor is let in") {
                try await site.get("/queue_status?token=\(ticket)").json["status"] == "ready"
            }
        }
    }

    /// Redis came back empty, so the gateway is started again to make its first administrator.
    private func eventuallySignedIn(_ site: Installation) async throws -> String {
        let port = freePort()
        try await site.gateway(port: port)
        return try await site.signIn()
    }
}
