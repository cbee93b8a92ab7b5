import Foundation
package import Logging

/// How log lines look.
private enum LogFormat: String {
    /// For people at a terminal.
    case text
    /// One JSON object a line.
    case json
}

/// Sends the logs of the whole process to standard error. Once a process: swift-log ends the process at a second call.
/// - Parameters:
///   - level: the least that is told, by its name in swift-log; `info` where it has none.
///   - format: `text` or `json`; `nil` for text on a terminal, else JSON.
/// - Returns: the program's own logger.
package func startLogging(_ label: String, level: String, format: String?) -> Logger {
    let level = Logger.Level(rawValue: level) ?? .info
    let format = format.flatMap(LogFormat.init(rawValue:)) ?? (isatty(STDERR_FILENO) == 1 ? .text : .json)
    LoggingSystem.bootstrap { label in
        switch format {
        case .json: JSONLogHandler(label: label, logLevel: level, write: writeToStandardError)
        case .text: TextLogHandler(logLevel: level, write: writeToStandardError)
        }
    }
    return Logger(label: label)
}

/// One write a line, so that lines of several threads do not mix. What cannot be written is lost: a log must not stop the service.
private func writeToStandardError(_ line: String) {
    var line = line + "\n"
    line.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

/// Writes each line as a JSON object: `time` (RFC 3339, UTC), `level`, `logger`, `message`, then the metadata under its own keys. Control
/// characters are escaped, so that no text from outside can begin a line of its own.
package struct JSONLogHandler: LogHandler {
    private let label: String
    private let write: @Sendable (String) -> Void
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]

    package init(label: String, logLevel: Logger.Level, write: @Sendable @escaping (String) -> Void) {
        self.label = label
        self.logLevel = logLevel
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var members = [
            ("time", logTime()), ("level", event.level.rawValue), ("logger", label), ("message", event.message.description),
        ]
        let all = metadata.merged(with: event)
        let taken = Set(members.map(\.0))
        members += all.sorted { $0.key < $1.key }.map { (taken.contains($0.key) ? "metadata_" + $0.key : $0.key, $0.value.description) }
        write("{" + members.map { "\"\(escaped($0.0))\":\"\(escaped($0.1))\"" }.joined(separator: ",") + "}")
    }
}

/// Writes time, level, message and `key=value` pairs.
package struct TextLogHandler: LogHandler {
    private let write: @Sendable (String) -> Void
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]

    package init(logLevel: Logger.Level, write: @Sendable @escaping (String) -> Void) {
        self.logLevel = logLevel
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let all = metadata.merged(with: event)
        let pairs = all.sorted { $0.key < $1.key }.map { " \(escaped($0.key))=\(escaped($0.value.description))" }.joined()
        write("\(logTime().dropFirst(11)) \(event.level.rawValue.uppercased()) \(escaped(event.message.description))\(pairs)")
    }
}

extension Logger.Metadata {
    /// What a logger says with every line, then the error of this one under `error`, then its own metadata; the later wins.
    fileprivate func merged(with event: LogEvent) -> Self {
        var all = self
        if let error = event.error { all["error"] = "\(error)" }
        return all.merging(event.metadata ?? [:]) { $1 }
    }
}

/// Now, in RFC 3339 with milliseconds, UTC.
private func logTime() -> String {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    var parts = tm()
    gmtime_r(&now.tv_sec, &parts)
    var buffer = [CChar](repeating: 0, count: 32)
    strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S", &parts)
    let seconds = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let milliseconds = String(1000 + now.tv_nsec / 1_000_000).dropFirst()
    return "\(seconds).\(milliseconds)Z"
}

/// `text` as the inside of a JSON string.
private func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case "\0"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}
