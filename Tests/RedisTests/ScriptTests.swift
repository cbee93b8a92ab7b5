import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import Redis

@Suite struct ScriptTests {
    @Test func scriptsRunByHashAndAreSentAgainWhenForgotten() async throws {
        try await withServer { server in
            try await withClient(server.url) { client in
                let script = RedisScript(name: "add", source: "return redis.call('INCRBY', KEYS[1], ARGV[1])", keyCount: 1)
                for round in 1...3 {
                    #expect(try await client.evaluate(script, keys: ["n"], arguments: [1]).integer == Int64(2 * round - 1))
                    #expect(try await client.evaluate(script, keys: ["n"], arguments: ["1"]).integer == Int64(2 * round))
                    _ = try await client.reply("SCRIPT", "FLUSH")
                }
                let info = try #require(try await client.reply("INFO", "commandstats").string)
                #expect(info.contains("cmdstat_eval:calls=3,"))
                #expect(info.contains("cmdstat_evalsha:calls=6,"))
            }
        }
    }

    @Test func forgottenScriptsKeepTheirCallersApart() async throws {
        try await withServer { server in
            let group = oneLoop()
            try await withClient(server.url, on: group) { client in
                let eventLoop = group.next()
                try await withThrowingTaskGroup(of: Bool.self) { tasks in
                    for number in 0..<500 {
                        let script = RedisScript(name: "own", source: "return ARGV[1] .. '\(number % 50)'", keyCount: 0)
                        tasks.addTask {
                            try await client.evaluate(script, keys: [], arguments: ["a"]).string == "a\(number % 50)"
                        }
                        tasks.addTask {
                            try await client.evaluate(script, keys: [], arguments: ["f"], on: eventLoop).get().string == "f\(number % 50)"
                        }
                        tasks.addTask { try await client.reply("ECHO", "\(number)").string == "\(number)" }
                    }
                    for try await isRight in tasks { #expect(isRight) }
                }
            }
        }
    }

    @Test func aScriptsOwnErrorIsNotTriedAgain() async throws {
        try await withServer { server in
            try await withClient(server.url) { client async throws in
                let script = RedisScript(name: "bad", source: "redis.call('INCR', 'n') return redis.error_reply('MINE no')", keyCount: 0)
                for _ in 1...2 {
                    let error = await #expect(throws: RedisError.self) { try await client.evaluate(script, keys: [], arguments: []) }
                    #expect(error?.serverCode == "MINE")
                }
                #expect(try await client.reply("GET", "n").integer == 2)
            }
        }
    }
}
