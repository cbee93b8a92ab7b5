import Foundation
import Glibc
import TestSupport

/// One of our programs as a process of its own, from the same build as the tests.
final class Program: Sendable {
    private let process: Locked<Process>
    private let output: String

    /// - Parameters:
    ///   - environment: all that it gets, beside the path.
    init(_ name: String, _ arguments: [String] = [], environment: [String: String] = [:]) throws {
        output = NSTemporaryDirectory() + "anteroom-\(name)-\(UInt64.random(in: .min ... .max)).log"
        _ = FileManager.default.createFile(atPath: output, contents: nil)
        let process = Process()
        process.executableURL = Self.folder.appendingPathComponent(name)
        process.arguments = arguments
        process.environment = environment.merging(["PATH": "/usr/bin:/bin", "LOG_FORMAT": "json"]) { given, _ in given }
        process.currentDirectoryURL = URL(fileURLWithPath: NSTemporaryDirectory())
        let log = FileHandle(forWritingAtPath: output)
        process.standardOutput = log
        process.standardError = log
        try process.run()
        self.process = Locked(process)
    }

    /// Where the tests were built to.
    private static let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

    var isRunning: Bool { process.get().exitCode == nil }

    /// What it has written so far.
    var text: String { (try? String(contentsOfFile: output, encoding: .utf8)) ?? "" }

    func signal(_ number: Int32) { kill(process.get().processIdentifier, number) }

    /// Waits for the end.
    /// - Returns: its exit code.
    func end(within limit: Duration = .seconds(20)) async throws -> Int32 {
        let code = Locked<Int32?>(nil)
        try await eventually("the program ends", within: limit) {
            code.set(self.process.get().exitCode)
            return code.get() != nil
        }
        return code.get() ?? -1
    }

    /// Ends it as a crash would, and forgets what it wrote.
    func remove() {
        if isRunning {
            signal(SIGKILL)
            process.get().waitForExit()
        }
        try? FileManager.default.removeItem(atPath: output)
    }
}
