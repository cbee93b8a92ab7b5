import Foundation
import Glibc
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import Redis

@Suite struct FailureTests {
    private static let ping = RedisCommand("ECHO", "hello")

    private func code(_ client: RedisClient, _ command: RedisCommand = ping) async -> RedisError.Code? {
        do {
            _ = try await client.send(command)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func aStoppedServerTimesCommandsOutAndIsUsedAgainLater() async throws {
        try await withServer { server in
            try await withClient(server.url, on: oneLoop(), configure: { $0.commandTimeout = .milliseconds(200) }) { client in
                server.signal(SIGSTOP)
                async let first = code(client)
                async let second = code(client)
                let codes = await [first, second]
                #expect(codes.contains(.timeout) && codes.allSatisfy { $0 == .timeout || $0 == .closed || $0 == .unavailable })
                #expect(!client.isAvailable)
                #expect(await code(client) == .unavailable)
                server.signal(SIGCONT)
                try await eventually("the client is ready again") { client.isAvailable }
                // A late reply of the old connection must not be taken for one of these.
                for number in 0..<100 { #expect(try await client.reply("ECHO", "\(number)").string == "\(number)") }
            }
        }
    }

    @Test func aReplyThatCameWhileTheProcessStoodStillIsTaken() async throws {
        try await withServer { server in
            let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            try await withClient(server.url, on: loop, configure: { $0.commandTimeout = .milliseconds(100) }) { client in
                for _ in 0..<5 {
                    async let reply = client.reply("BLPOP", "nothing", "0.02")
                    try await Task.sleep(for: .milliseconds(5))
                    loop.next().execute { Thread.sleep(forTimeInterval: 0.3) }
                    _ = try await reply
                }
            }
            try await loop.shutdownGracefully()
        }
    }

    @Test func aCommandThatIsSentAfterAStandstillHasTimeForItsReply() async throws {
        try await withServer { server in
            let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            try await withClient(server.url, on: loop, configure: { $0.commandTimeout = .milliseconds(100) }) { client in
                // The loop stands still between the command and the end of its turn, when it goes on its way; the reply takes 0.2 s.
                let slow = RedisCommand("BLPOP", "nothing", "0.2")
                let reply = try await loop.next().submit {
                    defer { Thread.sleep(forTimeInterval: 0.4) }
                    return client.send(slow, on: loop.next())
                }.get().get()
                #expect(reply == .null)
            }
            try await loop.shutdownGracefully()
        }
    }

    @Test func aKilledServerFailsCommandsAtOnceAndIsFoundAgain() async throws {
        try await withServer { server in
            try await withClient(server.url, configure: { $0.commandTimeout = .seconds(60) }) { client in
                for round in 0..<3 {
                    server.crash()
                    // Writing to what is closed must not end the process by SIGPIPE.
                    try await eventually("commands fail") { await code(client) == .unavailable }
                    try await eventually("the other connections are lost as well") { !client.isAvailable }
                    try await server.start()
                    try await eventually("the client is ready again") { client.isAvailable }
                    #expect(try await client.reply("ECHO", "\(round)").string == "\(round)")
                }
            }
        }
    }

    @Test func whatWasUnderWayFailsWithTheConnection() async throws {
        try await withServer { server in
            let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            try await withClient(server.url, on: loop, configure: { $0.commandTimeout = .seconds(60) }) { client in
                // In one turn, so that they go in this order.
                let commands = [RedisCommand("BLPOP", "none", 0), Self.ping, Self.ping]
                let replies = try await loop.next().submit { commands.map { client.send($0, on: loop.next()) } }.get()
                try await eventually("BLPOP has arrived") { try await blockedClients(server) == 1 }
                server.crash()
                for reply in replies {
                    let error = await #expect(throws: RedisError.self) { try await reply.get() }
                    #expect(error?.code == .closed)
                }
            }
            try await loop.shutdownGracefully()
        }
    }

    private func blockedClients(_ server: RedisServer) async throws -> Int {
        var count = 0
        try await withClient(server.url, on: oneLoop()) { other in
            let info = try await other.reply("INFO", "clients").string ?? ""
            count = info.contains("blocked_clients:1") ? 1 : 0
        }
        return count
    }

    @Test func withoutAServerCommandsFailAtOnce() async throws {
        let patient: (inout RedisConfiguration) -> Void = { $0.commandTimeout = .seconds(60) }
        try await withClient("unix:///nowhere/redis.sock", waits: false, configure: patient) { client in
            // The first may still wait for the first connection; it fails with that, long before its deadline.
            #expect(await code(client) == .unavailable)
            #expect(await code(client) == .unavailable)
            let error = await #expect(throws: RedisError.self) { try await client.pipeline([Self.ping]) }
            #expect(error?.code == .unavailable)
            #expect(!client.isAvailable)
        }
    }

    @Test func aClientThatDoesNotRunFailsCommandsAfterTheirDeadline() async throws {
        var configuration = try RedisConfiguration(url: "unix:///nowhere/redis.sock")
        configuration.commandTimeout = .milliseconds(50)
        let client = RedisClient(configuration, eventLoopGroup: oneLoop(), logger: quietLogger)
        #expect(await code(client) == .unavailable)
    }

    @Test func aServerThatAcceptsButDoesNotAnswerIsAway() async throws {
        try await withServer { server in
            server.signal(SIGSTOP)
            try await withClient(server.url, waits: false, configure: { $0.connectTimeout = .milliseconds(100) }) { client in
                #expect(await code(client) == .unavailable)
                server.signal(SIGCONT)
                try await eventually("the client is ready") { client.isAvailable }
                #expect(try await client.reply("ECHO", "hello").string == "hello")
            }
        }
    }

    @Test func aWrongPasswordIsSaidOnceAMinuteAndNeverShown() async throws {
        try await withServer(["--requirepass", "s3cret"]) { server in
            let log = RecordingLog()
            let url = "unix://:wr0ng@\(server.socket)"
            try await withClient(url, on: oneLoop(), waits: false, logger: Logger(label: "test") { _ in log }) { client in
                #expect(await code(client) == .unavailable)
                try await eventually("three attempts") { log.lines.count >= 3 }
                let warnings = log.lines.filter { $0.hasPrefix("warning") }
                #expect(warnings.count == 1)
                #expect(warnings.first?.contains("AUTH: WRONGPASS") == true)
                #expect(!log.lines.contains { $0.contains("wr0ng") })
                // Another reason within the minute is no news.
                server.crash()
                try await eventually("an attempt fails otherwise") { log.lines.last?.contains("WRONGPASS") == false }
                #expect(log.lines.filter { $0.hasPrefix("warning") }.count == 1)
            }
        }
    }

    @Test func anUnsolicitedReplyClosesTheConnection() async throws {
        try await ScriptedServer.with { _, connection in
            connection == 1 ? .bytes("$2\r\nv1\r\n$8\r\nnobody's\r\n") : .bytes("$2\r\nv2\r\n")
        } _: { server in
            try await withClient(server.url, on: oneLoop()) { client in
                #expect(try await client.reply("GET", "k").string == "v1")
                try await eventually("there is a new connection") { server.connections == 2 && client.isAvailable }
                #expect(try await client.reply("GET", "k").string == "v2")
            }
        }
    }

    @Test func garbageClosesTheConnection() async throws {
        try await ScriptedServer.with { _, connection in
            connection == 1 ? .bytes("HTTP/1.1 400 Bad Request\r\n\r\n") : .bytes("$2\r\nok\r\n")
        } _: { server in
            try await withClient(server.url, on: oneLoop()) { client in
                #expect(await code(client) == .protocolViolation)
                try await eventually("there is a new connection") { client.isAvailable }
                #expect(try await client.reply("ECHO", "hello").string == "ok")
            }
        }
    }

    @Test func aReplyLargerThanAllowedClosesTheConnection() async throws {
        try await ScriptedServer.with { _, connection in
            connection == 1 ? .endless("$536870912\r\n") : .bytes("$2\r\nok\r\n")
        } _: { server in
            try await withClient(server.url, on: oneLoop(), configure: { $0.maximumReplyBytes = 1 << 20 }) { client in
                #expect(await code(client) == .protocolViolation)
                try await eventually("there is a new connection") { client.isAvailable }
                #expect(try await client.reply("ECHO", "hello").string == "ok")
            }
        }
    }

    @Test func aPromisedReplyThatNeverComesTimesOut() async throws {
        try await ScriptedServer.with { _, connection in
            connection == 1 ? .bytes("$536870912\r\nhello") : .bytes("$2\r\nok\r\n")
        } _: { server in
            try await withClient(server.url, on: oneLoop(), configure: { $0.commandTimeout = .milliseconds(100) }) { client in
                #expect(await code(client) == .timeout)
                try await eventually("there is a new connection") { client.isAvailable }
                #expect(server.connections == 2)
                #expect(try await client.reply("ECHO", "hello").string == "ok")
            }
        }
    }

    @Test func repliesMayComeInSingleBytes() async throws {
        try await ScriptedServer.with { command, _ in
            command == "GET" ? .slowly("*2\r\n$5\r\nhe\r\no\r\n:-7\r\n") : .slowly("-ERR no\r\n")
        } _: { server in
            try await withClient(server.url, on: oneLoop()) { client in
                let results = try await client.pipeline([RedisCommand("GET"), RedisCommand("SET"), RedisCommand("GET")])
                let value = RedisValue.array([.bulk(Array("he\r\no".utf8)), .integer(-7)])
                #expect(
                    results == [
                        .success(value), .failure(RedisError(.server(RedisServerError("ERR no")), command: "SET")), .success(value),
                    ])
            }
        }
    }

    @Test func aServerThatClosesIsConnectedToAgain() async throws {
        try await ScriptedServer.with { _, connection in
            connection < 4 ? .close : .bytes(":1\r\n")
        } _: { server in
            try await withClient(server.url, on: oneLoop()) { client in
                try await eventually("a command is answered") { await code(client) == nil }
                #expect(server.connections == 4)
            }
        }
    }

    @Test func tooManyWaitingCommandsAreRefusedAndTheRestAnswered() async throws {
        try await withServer { server in
            let group = oneLoop()
            try await withClient(server.url, on: group, configure: { $0.maximumWaitingCommands = 10 }) { client in
                let tooMany = await #expect(throws: RedisError.self) {
                    try await client.pipeline(Array(repeating: Self.ping, count: 11))
                }
                #expect(tooMany?.code == .overloaded && tooMany?.isUnavailable == true)

                server.signal(SIGSTOP)
                let waiting = (0..<10).map { _ in client.send(Self.ping, on: group.next()) }
                #expect(await code(client) == .overloaded)
                server.signal(SIGCONT)
                for reply in waiting { #expect(try await reply.get().string == "hello") }
                let whole = try await client.pipeline(Array(repeating: Self.ping, count: 10))
                #expect(whole.allSatisfy { $0.map(\.string) == .success("hello") })
            }
        }
    }

    @Test func aClosedClientFailsWhatWaits() async throws {
        try await withServer { server in
            let held = Mutex<Task<RedisError.Code?, Never>?>(nil)
            try await withClient(server.url, on: oneLoop(), configure: { $0.commandTimeout = .seconds(60) }) { client in
                let waiting = Task { await code(client, RedisCommand("BLPOP", "none", 0)) }
                held.withLock { $0 = waiting }
                try await eventually("BLPOP has arrived") { try await blockedClients(server) == 1 }
            }
            let waiting = try #require(held.withLock { $0 })
            #expect(await waiting.value == .closed)
        }
    }

    /// A server that still loads its data takes connections, but is of no use yet.
    @Test func aServerThatLoadsIsNotReady() async throws {
        try await withServer(["--appendonly", "yes", "--key-load-delay", "200"]) { server in
            try await withClient(server.url) { client in
                _ = try await client.pipeline((0..<5000).map { RedisCommand("SET", "\($0)", "v") })
                let log = RecordingLog()
                server.crash()
                try await server.start()
                try await withClient(server.url, on: oneLoop(), waits: false, logger: Logger(label: "test") { _ in log }) { other in
                    try await eventually("the client is ready") { other.isAvailable }
                    #expect(try await other.reply("GET", "4999").string == "v")
                }
                #expect(log.lines.contains { $0.contains("PING: LOADING") })
            }
        }
    }
}

/// Keeps what is logged, level first.
final class RecordingLog: LogHandler, @unchecked Sendable {
    private let record = Mutex<[String]>([])

    var lines: [String] { record.withLock { $0 } }
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        record.withLock { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
    }
}
