import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import Redis

@Suite struct SentinelTests {
    @Test func aDeadPrimaryIsReplacedByTheOneThatSentinelsElect() async throws {
        try await ReplicatedServers.with { replicated in
            try await withClient(replicated.url) { client in
                let first = try #require(try await port(client))
                #expect(client.returned == nil)
                _ = try await client.reply("SET", "k", "kept")
                #expect(try await client.reply("WAIT", 2, 5000).integer == 2)

                replicated.servers[first]?.crash()
                try await eventually("another server is the primary") { (try? await port(client)).map { $0 != first } ?? false }
                #expect(try await client.reply("GET", "k").string == "kept")
                _ = try await client.reply("SET", "k", "changed")
                #expect(client.returned != nil)
            }
        }
    }

    /// Nobody cuts the connections, and the old primary serves reads as before.
    @Test func anotherPrimaryIsFollowedThoughTheOldOneLives() async throws {
        try await ReplicatedServers.with { replicated in
            try await withClient(replicated.url) { client in
                let first = try await port(client)
                let sentinel = try #require(replicated.sentinels.keys.first)
                try await withClient("redis://127.0.0.1:\(sentinel)") { sentinel in
                    _ = try await sentinel.reply("SENTINEL", "FAILOVER", "main")
                }
                try await eventually("every connection leads to another server") {
                    let ports = await MultiThreadedEventLoopGroup.singleton.makeIterator().asyncMap { try? await port(client, on: $0) }
                    return ports.allSatisfy { $0 != nil && $0 != first }
                }
                for _ in 0..<50 { _ = try await client.reply("SET", "k", "changed") }
            }
        }
    }

    @Test func aReplicaIsNotTakenForThePrimaryWhoeverNamesIt() async throws {
        let (primary, replica) = (freePort(), freePort())
        try await withServer(["--port", "\(primary)", "--bind", "127.0.0.1"]) { _ in
            try await withServer(["--port", "\(replica)", "--bind", "127.0.0.1", "--replicaof", "127.0.0.1", "\(primary)"]) { _ in
                try await ScriptedServer.with { _, _ in
                    .bytes(named(replica))
                } _: { astray in
                    try await ScriptedServer.with { _, _ in
                        .bytes(named(primary))
                    } _: { right in
                        let topology = RedisConfiguration.Topology.sentinel(
                            [.unix(path: astray.path), .unix(path: right.path)], primary: "main")
                        try await withClient("redis://unused", configure: { $0.topology = topology }) { client async throws in
                            #expect(try await port(client) == primary)
                        }
                    }
                }
            }
        }
    }

    @Test func aPrimaryThatIsDemotedIsLeftAtItsFirstRefusal() async throws {
        let (first, second) = (freePort(), freePort())
        let named = Locked(first)
        try await withServer(["--port", "\(first)", "--bind", "127.0.0.1"]) { _ in
            try await withServer(["--port", "\(second)", "--bind", "127.0.0.1"]) { _ in
                try await ScriptedServer.with { _, _ in
                    .bytes(self.named(named.get()))
                } _: { sentinel in
                    let topology = RedisConfiguration.Topology.sentinel([.unix(path: sentinel.path)], primary: "main")
                    try await withClient("redis://unused", on: oneLoop(), configure: { $0.topology = topology }) { client in
                        _ = try await client.reply("REPLICAOF", "127.0.0.1", .integer(Int64(second)))
                        named.set(second)
                        let error = await #expect(throws: RedisError.self) { try await client.reply("SET", "k", "v") }
                        #expect(error?.serverCode == "READONLY" && error?.isUnavailable == true)
                        try await eventually("the other server is used") { (try? await port(client)) == second }
                    }
                }
            }
        }
    }

    private func named(_ port: Int) -> String { "*2\r\n$9\r\n127.0.0.1\r\n$\("\(port)".count)\r\n\(port)\r\n" }

    /// Of the server that answers.
    private func port(_ client: RedisClient) async throws -> Int? {
        let reply = try await client.reply("CONFIG", "GET", "port")
        return reply.fields?["port"].flatMap { Int($0) }
    }

    private func port(_ client: RedisClient, on eventLoop: any EventLoop) async throws -> Int? {
        let reply = try await client.send(RedisCommand("CONFIG", "GET", "port"), on: eventLoop).get()
        return reply.fields?["port"].flatMap { Int($0) }
    }
}

extension Sequence {
    fileprivate func asyncMap<Mapped>(_ map: (Element) async -> Mapped) async -> [Mapped] {
        var mapped: [Mapped] = []
        for element in self { mapped.append(await map(element)) }
        return mapped
    }
}
