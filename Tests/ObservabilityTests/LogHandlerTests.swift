import Foundation
import Logging
import Synchronization
import Testing

@testable import Observability

@Suite("Log lines")
struct LogHandlerTests {
    private static let hostile = [
        "a\nb", "a\r\nb", "\r", "\u{0}\u{1B}[2J", "\"}\n{\"level\":\"forged\"}", "\\", "\\\u{301}\"\u{301}", "\u{85}\u{2028}\u{2029}\u{7F}",
        "انتظار 🚪",
    ]

    private final class Sink: Sendable {
        private let kept = Mutex<[String]>([])
        var lines: [String] { kept.withLock { $0 } }
        func write(_ line: String) { kept.withLock { $0.append(line) } }

        /// The members of the only line.
        func object() throws -> [String: String] {
            #expect(lines.count == 1)
            return try #require(try JSONSerialization.jsonObject(with: Data((lines.first ?? "").utf8)) as? [String: String])
        }
    }

    private let sink = Sink()

    private func json(level: Logger.Level = .info) -> Logger {
        Logger(label: "gateway") { [sink] in JSONLogHandler(label: $0, logLevel: level, write: sink.write) }
    }

    private func text() -> Logger {
        Logger(label: "gateway") { [sink] _ in TextLogHandler(logLevel: .info, write: sink.write) }
    }

    /// No line break and no control character: one line, and nothing that a terminal would obey.
    private func isOneLine(_ line: String) -> Bool {
        line.unicodeScalars.allSatisfy { ![.control, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory) }
    }

    @Test("a line is an object: time, level, logger, message, then the metadata under their own keys")
    func object() throws {
        var logger = json()
        logger[metadataKey: "queue"] = "q"
        logger[metadataKey: "both"] = "logger's"
        logger.warning("late", metadata: ["by": "\(3)", "both": "line's"])
        let members = try sink.object()
        #expect(members["level"] == "warning")
        #expect(members["logger"] == "gateway")
        #expect(members["message"] == "late")
        #expect(members["queue"] == "q")
        #expect(members["by"] == "3")
        #expect(members["both"] == "line's")
        #expect(members.count == 7)
        #expect(sink.lines.first?.hasPrefix("{\"time\":\"") == true)
    }

    @Test("the time is RFC 3339 in UTC with milliseconds, and now")
    func time() throws {
        json().info("m")
        let time = try #require(try sink.object()["time"])
        #expect(try /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/.wholeMatch(in: time) != nil)
        let read = try Date(time, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        #expect(abs(read.timeIntervalSinceNow) < 60)
    }

    @Test("hostile text stays inside its line and comes back as it was", arguments: hostile)
    func hostileJSON(_ value: String) throws {
        Logger(label: value) { [sink] in JSONLogHandler(label: $0, logLevel: .info, write: sink.write) }
            .info("\(value)", metadata: ["key" + value: "\(value)"])
        let line = try #require(sink.lines.first)
        #expect(isOneLine(line))
        let members = try sink.object()
        for key in ["logger", "message", "key" + value] { #expect(members[key].map { Array($0.utf8) } == Array(value.utf8)) }
    }

    @Test("hostile text stays inside its line at a terminal", arguments: hostile)
    func hostileText(_ value: String) throws {
        text().info("\(value)", metadata: ["key" + value: "\(value)"])
        #expect(isOneLine(try #require(sink.lines.first)))
    }

    @Test("metadata cannot pose as a member of the line itself")
    func takenKeys() throws {
        json().info("real", metadata: ["level": "forged", "message": "forged", "logger": "forged", "time": "forged"])
        let members = try sink.object()
        #expect(members["level"] == "info")
        #expect(members["message"] == "real")
        #expect(members["metadata_level"] == "forged")
        #expect(members.count == 8)
    }

    @Test("an error given with a line is in it")
    func error() throws {
        struct Refused: Error, CustomStringConvertible { let description = "refused\nby peer" }
        json().error("no answer", error: Refused())
        #expect(try sink.object()["error"] == "refused\nby peer")
        text().error("no answer", error: Refused())
        #expect(sink.lines.last?.hasSuffix(" ERROR no answer error=refused\\nby peer") == true)
    }

    @Test("a line at a terminal: time, level, message, pairs")
    func terminal() throws {
        text().notice("let in", metadata: ["queue": "q", "people": "\(2)"])
        let line = try #require(sink.lines.first)
        #expect(try /\d\d:\d\d:\d\d\.\d{3}Z NOTICE let in people=2 queue=q/.wholeMatch(in: line) != nil)
    }

    @Test("a line below the level is not written, and the level belongs to each logger")
    func level() {
        let logger = json(level: .warning)
        logger.info("quiet")
        #expect(sink.lines.isEmpty)
        var louder = logger
        louder.logLevel = .debug
        louder.debug("said")
        logger.info("quiet")
        #expect(sink.lines.count == 1)
    }
}
