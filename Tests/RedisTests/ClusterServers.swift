import Foundation
import TestSupport

@testable import Redis

/// A Redis Cluster of loopback, made by redis-cli.
struct ClusterServers {
    let servers: [Int: RedisServer]

    var url: String { "redis+cluster://\(servers.keys.map { "127.0.0.1:\($0)" }.joined(separator: ","))" }

    /// Runs `body` with three primaries, and as many replicas of each.
    static func with(replicas: Int = 0, _ body: (ClusterServers) async throws -> Void) async throws {
        var servers: [Int: RedisServer] = [:]
        defer { for server in servers.values { server.stop() } }
        for _ in 0..<3 * (1 + replicas) {
            let port = freePort()
            servers[port] = try await RedisServer(arguments: [
                "--port", "\(port)", "--bind", "127.0.0.1", "--cluster-enabled", "yes", "--cluster-node-timeout", "1000",
                "--repl-diskless-sync-delay", "0",
            ])
        }
        let addresses = servers.keys.map { "127.0.0.1:\($0)" }
        try run(["--cluster", "create"] + addresses + ["--cluster-replicas", "\(replicas)", "--cluster-yes"])
        let cluster = ClusterServers(servers: servers)
        try await eventually("every server knows all slots") {
            for port in servers.keys {
                let info = try await cluster.ask(port, "CLUSTER", "INFO").string ?? ""
                if !info.contains("cluster_state:ok") || !info.contains("cluster_slots_ok:16384") { return false }
            }
            return true
        }
        try await body(cluster)
    }

    /// What one server answers, whatever the slot.
    func ask(_ port: Int, _ name: String, _ arguments: RedisArgument...) async throws -> RedisValue {
        let reply = Locked(RedisValue.null)
        try await withClient("redis://127.0.0.1:\(port)", on: oneLoop()) { client in
            reply.set(try await client.send(RedisCommand(name, arguments: arguments)))
        }
        return reply.get()
    }

    /// The primary that has `slot`.
    func owner(of slot: Int) async throws -> Int {
        for port in servers.keys {
            guard let map = try? SlotMap(await ask(port, "CLUSTER", "SLOTS"), of: .tcp(host: "127.0.0.1", port: port)) else { continue }
            if case .tcp(_, let port) = map.owner(of: slot) { return port }
        }
        throw NobodyHasSlot(slot: slot)
    }

    private static func run(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/redis-cli")
        process.arguments = arguments
        process.standardOutput = FileHandle(forWritingAtPath: "/dev/null")
        try process.run()
        process.waitForExit()
    }
}

struct NobodyHasSlot: Error {
    let slot: Int
}
