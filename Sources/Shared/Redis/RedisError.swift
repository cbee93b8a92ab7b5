/// Why a command has no reply. Arguments are never part of it: they may be secrets.
package struct RedisError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// There is no connection; the command was not sent.
        case unavailable
        /// No reply came in time. Whether the command ran is unknown; its connection is closed.
        case timeout
        /// Too many commands wait already; this one was not sent.
        case overloaded
        /// The connection was lost before the reply. Whether the command ran is unknown.
        case closed
        /// What came is not RESP, or a reply was larger than allowed; the connection is closed.
        case protocolViolation
        /// The server answered with an error.
        case server(RedisServerError)
    }

    package let code: Code
    /// The command's name.
    package let command: String

    package init(_ code: Code, command: String) {
        self.code = code
        self.command = command
    }

    /// Whether the store cannot serve at the moment, rather than that the command was wrong: a caller answers 503.
    package var isUnavailable: Bool {
        switch code {
        case .unavailable, .timeout, .overloaded, .closed, .protocolViolation: true
        case .server(let error): Self.statesOfServer.contains(error.code) || error.message.hasPrefix("max number of clients")
        }
    }

    private static let statesOfServer: Set = [
        "LOADING", "BUSY", "MASTERDOWN", "READONLY", "CLUSTERDOWN", "TRYAGAIN", "OOM", "MISCONF", "NOREPLICAS", "NOAUTH", "WRONGPASS",
    ]

    /// A word for metrics: `unavailable`, `timeout`, `overloaded`, `closed`, `protocol_violation` or `error`.
    package var outcome: String {
        switch code {
        case .unavailable: "unavailable"
        case .timeout: "timeout"
        case .overloaded: "overloaded"
        case .closed: "closed"
        case .protocolViolation: "protocol_violation"
        case .server: "error"
        }
    }

    package var message: String {
        switch code {
        case .unavailable: "not connected"
        case .timeout: "no reply in time"
        case .overloaded: "too many commands are waiting"
        case .closed: "connection lost"
        case .protocolViolation: "the reply is not one of Redis's"
        case .server(let error): "\(error.code) \(error.message)"
        }
    }

    package var description: String { command.isEmpty ? "Redis: \(message)" : "Redis: \(command): \(message)" }
}
