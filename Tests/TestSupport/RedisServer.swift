import Foundation
import Glibc

/// A real redis-server of one test's own, on a unix socket in a folder that goes with it.
package final class RedisServer: Sendable {
    package let socket: String
    private let folder: String
    private let arguments: [String]
    private let process: Locked<Process?> = Locked(nil)

    package var url: String { "unix://\(socket)" }

    package init(arguments: [String] = []) async throws {
        folder = NSTemporaryDirectory() + "anteroom-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        socket = folder + "/redis.sock"
        self.arguments = arguments
        try await start()
    }

    /// Starts the server (again) over the same data, and waits until it listens.
    package func start() async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/redis-server")
        process.arguments = ["--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder, "--loglevel", "warning"] + arguments
        process.standardOutput = FileHandle(forWritingAtPath: "/dev/null")
        process.standardError = FileHandle(forWritingAtPath: "/dev/null")
        try process.run()
        self.process.set(process)
        try await eventually("redis-server listens") { self.answers() }
    }

    package func signal(_ number: Int32) {
        if let process = process.get(), process.isRunning { kill(process.processIdentifier, number) }
    }

    /// Stops at once, as a crash would.
    package func crash() {
        signal(SIGKILL)
        process.get()?.waitForExit()
    }

    package func stop() {
        signal(SIGCONT)
        crash()
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func answers() -> Bool {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(socket.utf8).prefix($0.count - 1)) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 }
        }
    }
}
