import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import Redis

@Suite struct ClientTests {
    @Test func answersEveryKindOfReply() async throws {
        try await withServer { server in
            try await withClient(server.url) { client in
                #expect(try await client.reply("SET", "k", "v") == .status("OK"))
                #expect(try await client.reply("GET", "k").string == "v")
                #expect(try await client.reply("GET", "none") == .null)
                #expect(try await client.reply("INCRBY", "n", 41).integer == 41)
                #expect(try await client.reply("GET", "n").integer == 41)
                let bytes: [UInt8] = [0, 255, 13, 10]
                _ = try await client.reply("SET", "b", .bytes(bytes))
                #expect(try await client.reply("GET", "b").bytes == bytes)
                #expect(try await client.reply("GET", "b").string == nil)
                #expect(try await client.reply("MGET", "k", "none") == .array([.bulk(Array("v".utf8)), .null]))
            }
        }
    }

    @Test func anErrorReplyFailsItsCommandAlone() async throws {
        try await withServer { server in
            try await withClient(server.url) { client in
                _ = try await client.reply("SET", "k", "s3cret")
                let error = await #expect(throws: RedisError.self) { try await client.reply("LPUSH", "k", "s3cret") }
                #expect(error?.serverCode == "WRONGTYPE")
                #expect(error?.isUnavailable == false)
                #expect(error?.description.hasPrefix("Redis: LPUSH: WRONGTYPE ") == true)
                #expect("\(String(describing: error))".contains("s3cret") == false)
                #expect(try await client.reply("GET", "k").string == "s3cret")
            }
        }
    }

    @Test func errorsInsideArraysAreValues() async throws {
        try await withServer { server in
            try await withClient(server.url, on: oneLoop()) { client in
                let results = try await client.pipeline([
                    RedisCommand("MULTI"), RedisCommand("SET", "k", "v"), RedisCommand("LPUSH", "k", "x"), RedisCommand("EXEC"),
                ])
                let replies = try #require(try results[3].get().array)
                #expect(replies[0] == .status("OK"))
                guard case .error(let error) = replies[1] else { throw Unexpected() }
                #expect(error.code == "WRONGTYPE")
            }
        }
    }

    @Test func aPipelineKeepsOrderAndSettlesEachCommand() async throws {
        try await withServer { server in
            try await withClient(server.url) { client in
                var commands = (0..<1000).map { RedisCommand("ECHO", "\($0)") }
                commands[500] = RedisCommand("NONSENSE")
                let results = try await client.pipeline(commands)
                #expect(results.count == 1000)
                for (index, result) in results.enumerated() {
                    switch result {
                    case .success(let value): #expect(value.string == "\(index)")
                    case .failure(let error): #expect(index == 500 && error.serverCode == "ERR" && error.command == "NONSENSE")
                    }
                }
                #expect(try await client.pipeline([]).isEmpty)
            }
        }
    }

    @Test func thousandsOfCallersEachGetTheirOwnReply() async throws {
        try await withServer { server in
            try await withClient(server.url) { client in
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<10_000 {
                        group.addTask { try await client.reply("ECHO", "caller \(number)").string == "caller \(number)" }
                    }
                    for try await isOwn in group { #expect(isOwn) }
                }
            }
        }
    }

    @Test func repliesArriveOnTheCallersLoop() async throws {
        try await withServer { server in
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
            try await withClient(server.url, on: group) { client in
                for eventLoop in Array(group.makeIterator()) {
                    let isHere = try await eventLoop.flatSubmit {
                        client.send(RedisCommand("PING"), on: eventLoop).map { _ in eventLoop.inEventLoop }
                    }.get()
                    #expect(isHere)
                    // From another thread, too.
                    #expect(try await client.send(RedisCommand("PING"), on: eventLoop).map { _ in eventLoop.inEventLoop }.get())
                }
                let stranger = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
                #expect(try await client.send(RedisCommand("PING"), on: stranger).map { _ in stranger.inEventLoop }.get())
            }
        }
    }

    /// Commands from callbacks of replies, from the loop, and from other threads share a connection.
    @Test func commandsOfAllOriginsMix() async throws {
        try await withServer { server in
            let group = oneLoop()
            try await withClient(server.url, on: group) { client in
                let eventLoop = group.next()
                @Sendable func chain(_ name: String, _ left: Int) -> EventLoopFuture<Bool> {
                    if left == 0 { return eventLoop.makeSucceededFuture(true) }
                    return client.send(RedisCommand("ECHO", "\(name) \(left)"), on: eventLoop).flatMap {
                        $0.string == "\(name) \(left)" ? chain(name, left - 1) : eventLoop.makeSucceededFuture(false)
                    }
                }
                try await withThrowingTaskGroup(of: Bool.self) { tasks in
                    for number in 0..<100 {
                        tasks.addTask { try await eventLoop.flatSubmit { chain("chain \(number)", 50) }.get() }
                        tasks.addTask {
                            var isRight = true
                            for step in 0..<50 {
                                let text = try await client.reply("ECHO", "\(number) \(step)").string
                                isRight = isRight && text == "\(number) \(step)"
                            }
                            return isRight
                        }
                    }
                    for try await isRight in tasks { #expect(isRight) }
                }
            }
        }
    }

    @Test func tellsItsObserver() async throws {
        try await withServer { server in
            let observer = RecordingObserver()
            try await withClient(server.url, on: oneLoop(), observer: observer) { client in
                _ = try await client.reply("SET", "k", "v")
                _ = try? await client.reply("LPUSH", "k", "v")
            }
            #expect(observer.finished == ["SET ok", "LPUSH error"])
            #expect(observer.ready == [1, 0])
        }
    }
}

struct Unexpected: Error {}

func oneLoop() -> MultiThreadedEventLoopGroup { MultiThreadedEventLoopGroup(numberOfThreads: 1) }

final class RecordingObserver: RedisObserver {
    private let record = Mutex<(finished: [String], ready: [Int])>(([], []))

    var finished: [String] { record.withLock { $0.finished } }
    var ready: [Int] { record.withLock { $0.ready } }

    func commandFinished(name: String, outcome: String, nanoseconds: UInt64) {
        record.withLock { $0.finished.append("\(name) \(outcome)") }
    }

    func connectionsChanged(ready: Int) { record.withLock { $0.ready.append(ready) } }
}
