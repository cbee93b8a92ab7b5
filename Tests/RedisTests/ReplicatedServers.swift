import Foundation
import TestSupport

@testable import Redis

/// A primary with replicas, and sentinels that watch over them. Ports are of loopback.
struct ReplicatedServers {
    let servers: [Int: RedisServer]
    let sentinels: [Int: Sentinel]

    var url: String { "redis+sentinel://\(sentinels.keys.map { "127.0.0.1:\($0)" }.joined(separator: ","))/main" }

    /// Runs `body` with two replicas and three sentinels, that act on a primary's silence of half a second.
    static func with(_ body: (ReplicatedServers) async throws -> Void) async throws {
        let primary = freePort()
        var servers: [Int: RedisServer] = [:]
        var sentinels: [Int: Sentinel] = [:]
        defer {
            for sentinel in sentinels.values { sentinel.stop() }
            for server in servers.values { server.stop() }
        }
        for _ in 0..<3 {
            let port = servers.isEmpty ? primary : freePort()
            let role = port == primary ? [] : ["--replicaof", "127.0.0.1", "\(primary)"]
            servers[port] = try await RedisServer(
                arguments: ["--port", "\(port)", "--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0"] + role)
        }
        for _ in 0..<3 {
            let port = freePort()
            sentinels[port] = try Sentinel(port: port, primary: primary)
        }
        let replicated = ReplicatedServers(servers: servers, sentinels: sentinels)
        let first = sentinels.keys.first!
        try await withClient("redis://127.0.0.1:\(first)") { client in
            try await eventually("the sentinels know all") {
                let fields = try await client.reply("SENTINEL", "MASTER", "main").fields ?? [:]
                return fields["num-slaves"] == "2" && fields["num-other-sentinels"] == "2"
            }
        }
        try await body(replicated)
    }

    final class Sentinel: Sendable {
        private let folder: String
        private let process: Locked<Process>

        init(port: Int, primary: Int) throws {
            folder = NSTemporaryDirectory() + "sentinel-\(UInt64.random(in: .min ... .max))"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let lines = [
                "port \(port)", "bind 127.0.0.1", "dir \(folder)", "sentinel monitor main 127.0.0.1 \(primary) 2",
                "sentinel down-after-milliseconds main 500", "sentinel failover-timeout main 4000",
            ]
            try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: "\(folder)/sentinel.conf"))
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/redis-server")
            process.arguments = ["\(folder)/sentinel.conf", "--sentinel"]
            process.standardOutput = FileHandle(forWritingAtPath: "/dev/null")
            try process.run()
            self.process = Locked(process)
        }

        func stop() {
            let process = process.get()
            kill(process.processIdentifier, SIGKILL)
            process.waitForExit()
            try? FileManager.default.removeItem(atPath: folder)
        }
    }
}
