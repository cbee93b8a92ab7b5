import NIOCore
import NIOPosix
import ServiceLifecycle
import TestSupport
import Testing

@testable import Redis

@Suite struct LifecycleTests {
    @Test func logsInAndSelectsTheDatabaseBeforeFirstUse() async throws {
        try await withServer(["--requirepass", "s3cret", "--user", "anteroom", "on", ">other", "+@all", "~*"]) { server in
            let address = server.url.dropFirst("unix://".count)
            try await withClient("unix://:s3cret@\(address)?db=5") { client in
                _ = try await client.reply("SET", "k", "five")
            }
            try await withClient("unix://anteroom:other@\(address)") { client async throws in
                #expect(try await client.reply("GET", "k") == .null)
                #expect(try await client.reply("ACL", "WHOAMI").string == "anteroom")
            }
            try await withClient("unix://anteroom:other@\(address)?db=5") { client async throws in
                #expect(try await client.reply("GET", "k").string == "five")
            }
        }
    }

    @Test func connectsOverTCP() async throws {
        let port = freePort()
        try await withServer(["--port", "\(port)", "--bind", "127.0.0.1"]) { _ in
            try await withClient("redis://127.0.0.1:\(port)") { client async throws in
                #expect(try await client.reply("PING") == .status("PONG"))
            }
            try await withClient("redis://localhost:\(port)/1") { client async throws in
                #expect(try await client.reply("PING") == .status("PONG"))
            }
        }
    }

    @Test func commandsWaitForTheFirstConnection() async throws {
        try await withServer { server in
            let client = RedisClient(
                try RedisConfiguration(url: server.url), eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quietLogger)
            async let early = client.pipeline((0..<100).map { RedisCommand("ECHO", "\($0)") })
            async let other = client.reply("ECHO", "early")
            let running = Task { try await client.run() }
            let texts = try await early.map { try $0.get().string }
            #expect(texts == (0..<100).map { "\($0)" })
            let text = try await other.string
            #expect(text == "early")
            running.cancel()
            try await running.value
        }
    }

    @Test func aCancelledCallerDoesNotMixUpReplies() async throws {
        try await withServer { server in
            try await withClient(server.url, on: oneLoop()) { client async throws in
                for number in 0..<300 {
                    let cancelled = Task { try await client.reply("ECHO", "cancelled \(number)") }
                    let kept = Task { try await client.reply("ECHO", "kept \(number)") }
                    cancelled.cancel()
                    #expect(try await kept.value.string == "kept \(number)")
                    #expect(try await cancelled.value.string == "cancelled \(number)")
                }
            }
        }
    }

    @Test func endsOnGracefulShutdown() async throws {
        try await withServer { server in
            let client = RedisClient(
                try RedisConfiguration(url: server.url), eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quietLogger)
            let group = ServiceGroup(configuration: .init(services: [.init(service: client)], logger: quietLogger))
            let running = Task { try await group.run() }
            try await eventually("the client is ready") { client.isAvailable }
            await group.triggerGracefulShutdown()
            try await running.value
            #expect(!client.isAvailable)
            let error = await #expect(throws: RedisError.self) { try await client.reply("PING") }
            #expect(error?.code == .closed)
        }
    }
}
