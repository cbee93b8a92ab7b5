import Logging
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import Redis

@Suite struct ClusterTests {
    /// Adds to a list and counts in the same step; its two keys share a tag.
    private static let append = RedisScript(
        name: "append",
        source: "redis.call('RPUSH', KEYS[1], ARGV[1]) redis.call('INCR', KEYS[2]) return redis.call('GET', KEYS[2])", keyCount: 2)

    @Test func everyCommandGoesWhereItsKeyIs() async throws {
        try await ClusterServers.with { cluster in
            try await withClient(cluster.url) { client in
                let keys = (0..<300).map { $0 % 2 == 0 ? "key \($0)" : "{tag \($0)}:key" }
                for key in keys.prefix(50) + ["", "{}", "{}a", "a{}{b}", "{{a}b", "{a", "é{ü}"] {
                    #expect(try await client.send(RedisCommand("CLUSTER", "KEYSLOT", .string(key))).integer == Int64(KeySlot.of(key)))
                }
                let written = try await client.pipeline(keys.map { RedisCommand("SET", .string($0), .string($0)) })
                #expect(written.allSatisfy { $0 == .success(.status("OK")) })
                #expect(try await client.pipeline(keys.map { RedisCommand("GET", .string($0)) }).map { try $0.get().string } == keys)
                for eventLoop in MultiThreadedEventLoopGroup.singleton.makeIterator() {
                    for key in keys.prefix(20) {
                        #expect(try await client.send(RedisCommand("GET", .string(key)), on: eventLoop).get().string == key)
                    }
                }
                // Scripts that no server knows yet, and that all have forgotten.
                for round in 1...2 {
                    for tag in 0..<30 {
                        let keys = ["{\(tag)}:list", "{\(tag)}:count"]
                        let reply = try await client.evaluate(Self.append, keys: keys, arguments: ["x"])
                        #expect(reply.integer == Int64(round))
                    }
                    for (_, result) in await client.sendToEach(RedisCommand("SCRIPT", "FLUSH")) {
                        #expect(try result.get() == .status("OK"))
                    }
                }
                let servers = await client.sendToEach(RedisCommand("DBSIZE"))
                #expect(servers.count == 3 && servers.allSatisfy { (try? $0.result.get().integer ?? 0) ?? 0 > 50 })
                let crossed = await #expect(throws: RedisError.self) { try await client.reply("UNLINK", "a", "b") }
                #expect(crossed?.serverCode == "CROSSSLOT")
            }
        }
    }

    @Test func aSlotMayMoveWhileItIsUsed() async throws {
        try await ClusterServers.with { cluster in
            try await withClient(cluster.url, configure: { $0.commandTimeout = .seconds(20) }) { client in
                let (slot, keys) = (KeySlot.of("{tag}"), ["{tag}:list", "{tag}:count"])
                let from = try await cluster.owner(of: slot)
                let to = try #require(cluster.servers.keys.first { $0 != from })
                let (source, target) = (try await cluster.ask(from, "CLUSTER", "MYID"), try await cluster.ask(to, "CLUSTER", "MYID"))
                _ = try await client.reply("SET", "{tag}:single", 0)

                let isOver = Locked(false)
                let writing = (0..<4).map { writer in
                    Task {
                        var acknowledged: [String] = []
                        while !isOver.get() {
                            let text = "\(writer) \(acknowledged.count)"
                            _ = try await client.evaluate(Self.append, keys: keys, arguments: [.string(text)])
                            _ = try await client.reply("INCR", "{tag}:single")
                            acknowledged.append(text)
                        }
                        return acknowledged
                    }
                }
                let number = RedisArgument.integer(Int64(slot))
                let node = { (reply: RedisValue) in RedisArgument.string(reply.string ?? "") }
                try await eventually("something was written") { try await client.reply("GET", keys[1].argument).integer ?? 0 > 100 }
                _ = try await cluster.ask(to, "CLUSTER", "SETSLOT", number, "IMPORTING", node(source))
                _ = try await cluster.ask(from, "CLUSTER", "SETSLOT", number, "MIGRATING", node(target))
                // One key at a time: until both have moved, the script can be run nowhere.
                for key in ["{tag}:single", keys[0], keys[1]] {
                    _ = try await cluster.ask(from, "MIGRATE", "127.0.0.1", .integer(Int64(to)), .string(key), 0, 5000)
                    try await Task.sleep(for: .milliseconds(150))
                }
                for port in [to, from] + cluster.servers.keys.filter({ $0 != to && $0 != from }) {
                    _ = try await cluster.ask(port, "CLUSTER", "SETSLOT", number, "NODE", node(target))
                }
                let before = try await client.reply("GET", keys[1].argument).integer ?? 0
                try await eventually("writing goes on") { try await client.reply("GET", keys[1].argument).integer ?? 0 > before + 100 }
                isOver.set(true)

                var acknowledged: [String] = []
                for writer in writing { acknowledged += try await writer.value }
                let kept = (try await client.reply("LRANGE", keys[0].argument, 0, -1).array ?? []).compactMap(\.string)
                #expect(kept.sorted() == acknowledged.sorted())
                #expect(try await client.reply("GET", "{tag}:single").integer == Int64(acknowledged.count))
                #expect(try await cluster.ask(to, "GET", keys[1].argument).integer == Int64(acknowledged.count))
            }
        }
    }

    @Test func aReplicaTakesOverFromAPrimaryThatDied() async throws {
        try await ClusterServers.with(replicas: 1) { cluster in
            try await withClient(cluster.url) { client in
                let keys = (0..<60).map { "key \($0)" }
                _ = try await client.pipeline(keys.map { RedisCommand("SET", .string($0), 1) })
                let dying = try await cluster.owner(of: KeySlot.of(keys[0]))
                #expect(client.returned == nil)
                try await eventually("the replica has it all") {
                    try await cluster.ask(dying, "INFO", "replication").string?.contains("state=online") ?? false
                }
                _ = try await cluster.ask(dying, "WAIT", 1, 5000)

                async let missed: Void = eventually("a server is missed") { !client.isAvailable }
                cluster.servers[dying]?.crash()
                await #expect(throws: RedisError.self) { try await client.reply("INCR", keys[0].argument) }
                try await missed
                try await eventually("every key can be written") {
                    let replies = try? await client.pipeline(keys.map { RedisCommand("SET", .string($0), 2) })
                    return replies?.allSatisfy { $0 == .success(.status("OK")) } ?? false
                }
                #expect(client.isAvailable && client.returned != nil)
                try await cluster.servers[dying]?.start()
                try await eventually("the dead one is a replica") {
                    try await cluster.ask(dying, "ROLE").array?.first?.string == "slave"
                }
                #expect(try await client.pipeline(keys.map { RedisCommand("GET", .string($0)) }).allSatisfy { try $0.get().integer == 2 })
            }
        }
    }

    @Test func aServerThatIsInNoClusterIsRefusedClearly() async throws {
        let port = freePort()
        try await withServer(["--port", "\(port)", "--bind", "127.0.0.1"]) { _ in
            let log = RecordingLog()
            let logger = Logger(label: "test") { _ in log }
            try await withClient("redis+cluster://127.0.0.1:\(port)", on: oneLoop(), waits: false, logger: logger) { client in
                let error = await #expect(throws: RedisError.self) { try await client.reply("PING") }
                #expect(error?.code == .unavailable)
                try await eventually("it is said why") {
                    log.lines.contains { $0.hasPrefix("warning") && $0.contains("cluster support disabled") }
                }
            }
        }
    }
}

extension String {
    fileprivate var argument: RedisArgument { .string(self) }
}
