import Logging
import TestSupport
import Testing

@testable import Redis

@Suite struct TLSTests {
    @Test func speaksTLSWithAServerWhoseAuthorityIsBelieved() async throws {
        try await withTLSServer { certificates, port in
            for host in ["127.0.0.1", "localhost"] {
                try await withClient("rediss://\(host):\(port)/1", configure: { try? $0.believe(certificates) }) { client async throws in
                    let texts = try await client.pipeline((0..<100).map { RedisCommand("ECHO", "\($0)") }).map { try $0.get().string }
                    #expect(texts == (0..<100).map { "\($0)" })
                    // Many TLS records.
                    let large = String(repeating: "x", count: 1 << 20)
                    #expect(try await client.reply("ECHO", .string(large)).string == large)
                }
            }
        }
    }

    @Test func aServerThatIsNotBelievedIsRefused() async throws {
        try await withTLSServer { certificates, port in
            let others = try Certificates()
            defer { others.remove() }
            let url = "rediss://127.0.0.1:\(port)"
            try await expectRefusal(url, "REDIS_CA_FILE") { try $0.believe(others) }
            try await expectRefusal(url, "REDIS_CA_FILE") { _ in }
        }
    }

    @Test func theCertificateMustBeForTheServer() async throws {
        try await withTLSServer(names: "DNS:redis.example") { certificates, port in
            let url = "rediss://127.0.0.1:\(port)"
            try await expectRefusal(url, "REDIS_SERVER_NAME") { try $0.believe(certificates) }
            try await withClient(url, configure: { try? $0.believe(certificates, serverName: "redis.example") }) { client async throws in
                #expect(try await client.reply("PING") == .status("PONG"))
            }
        }
    }

    @Test func aServerMayWantAClientCertificate() async throws {
        try await withTLSServer(clients: "yes") { certificates, port in
            let url = "rediss://127.0.0.1:\(port)"
            try await expectRefusal(url, "REDIS_CERT_FILE") { try $0.believe(certificates) }
            let files = RedisTLS.Files(authorities: certificates.authority, certificate: certificates.certificate, key: certificates.key)
            let tls = try RedisTLS(files)
            try await withClient(url, configure: { $0.tls = tls }) { client async throws in
                #expect(try await client.reply("PING") == .status("PONG"))
            }
        }
    }

    @Test func aServerWithoutTLSIsRefused() async throws {
        let port = freePort()
        try await withServer(["--port", "\(port)", "--bind", "127.0.0.1"]) { _ in
            try await expectRefusal("rediss://127.0.0.1:\(port)", "may not speak TLS") { _ in }
        }
    }

    @Test func filesThatAreOfNoUseAreNamed() throws {
        let certificates = try Certificates()
        defer { certificates.remove() }
        #expect(throws: RedisTLS.FileError.authorities) { try RedisTLS(.init(authorities: "/nowhere")) }
        #expect(throws: RedisTLS.FileError.authorities) { try RedisTLS(.init(authorities: certificates.key)) }
        #expect(throws: RedisTLS.FileError.certificate) { try RedisTLS(.init(certificate: "/nowhere", key: certificates.key)) }
        #expect(throws: RedisTLS.FileError.key) {
            try RedisTLS(.init(certificate: certificates.certificate, key: certificates.authority))
        }
    }

    private func withTLSServer(
        names: String = "IP:127.0.0.1,DNS:localhost", clients: String = "no", _ body: (Certificates, Int) async throws -> Void
    ) async throws {
        let certificates = try Certificates(names: names)
        defer { certificates.remove() }
        let port = freePort()
        try await withServer(certificates.arguments(port: port, clients: clients)) { _ in try await body(certificates, port) }
    }

    /// One line says what to see to, and no command is sent.
    private func expectRefusal(_ url: String, _ words: String, configure: (inout RedisConfiguration) throws -> Void) async throws {
        let log = RecordingLog()
        var configuration = try RedisConfiguration(url: url)
        try configure(&configuration)
        let configured = configuration
        try await withClient(
            url, on: oneLoop(), waits: false, logger: Logger(label: "test") { _ in log }, configure: { $0 = configured }
        ) { client in
            let error = await #expect(throws: RedisError.self) { try await client.reply("PING") }
            #expect(error?.code == .unavailable)
            try await eventually("it is said why: \(words)") { log.lines.contains { $0.hasPrefix("warning") && $0.contains(words) } }
            #expect(log.lines.filter { $0.hasPrefix("warning") }.count == 1)
        }
    }
}

extension RedisConfiguration {
    fileprivate mutating func believe(_ certificates: Certificates, serverName: String? = nil) throws {
        tls = try RedisTLS(.init(authorities: certificates.authority), serverName: serverName)
    }
}
