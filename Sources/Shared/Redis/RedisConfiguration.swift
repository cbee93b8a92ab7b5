import Foundation
import NIOCore

/// Where Redis is and how patient to be with it.
package struct RedisConfiguration: Sendable, CustomStringConvertible {
    /// The servers behind the name. Sentinel and Cluster will be further cases.
    package enum Topology: Sendable, Equatable {
        case single(Endpoint)
    }

    package enum Endpoint: Sendable, Equatable {
        case tcp(host: String, port: Int)
        case unix(path: String)
    }

    package var topology: Topology
    package var user: String?
    package var password: String?
    package var database = 0
    /// From sending a command to the end of its reply. Below the two seconds in which a request must be answered.
    package var commandTimeout = Duration.milliseconds(1500)
    package var connectTimeout = Duration.milliseconds(1000)
    /// Commands that may wait for a reply on one connection.
    package var maximumWaitingCommands = 16_384
    /// The largest reply read, in bytes; a server that promises more is not believed.
    package var maximumReplyBytes = 64 * 1024 * 1024
    /// The pause before connecting again grows from the first to the second, each time by a random part.
    package var reconnectDelay = (shortest: Duration.milliseconds(50), longest: Duration.milliseconds(1000))

    /// Reads `redis://[user:password@]host[:port][/db]` or `unix:///path[?db=0]`.
    /// - Throws: ``RedisConfigurationError``, which never holds the password.
    package init(url: String) throws {
        guard let components = URLComponents(string: url), let scheme = components.scheme else {
            throw RedisConfigurationError(description: "not a URL")
        }
        switch scheme {
        case "redis":
            guard let host = components.host, !host.isEmpty else { throw RedisConfigurationError(description: "it has no host") }
            let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
            topology = .single(.tcp(host: bare, port: components.port ?? 6379))
            user = components.user.flatMap { $0.isEmpty ? nil : $0 }
            password = components.password.flatMap { $0.isEmpty ? nil : $0 }
            database = try Self.database(components.path.isEmpty || components.path == "/" ? "0" : String(components.path.dropFirst()))
        case "unix":
            guard !components.path.isEmpty, components.path != "/" else { throw RedisConfigurationError(description: "it has no path") }
            topology = .single(.unix(path: components.path))
            database = try Self.database(components.queryItems?.first { $0.name == "db" }?.value ?? "0")
        case "rediss", "redis+sentinel", "redis+cluster":
            throw RedisConfigurationError(description: "\(scheme):// is not available in this version")
        default:
            throw RedisConfigurationError(description: "unknown scheme")
        }
    }

    private static func database(_ text: String) throws -> Int {
        guard let number = Int(text), number >= 0 else { throw RedisConfigurationError(description: "the database is not a number") }
        return number
    }

    /// The address without user and password.
    package var description: String {
        switch topology {
        case .single(.tcp(let host, let port)): "redis://\(host):\(port)/\(database)"
        case .single(.unix(let path)): "unix://\(path)?db=\(database)"
        }
    }

    /// What a new connection says first.
    var greeting: [RedisCommand] {
        var commands: [RedisCommand] = []
        if let password { commands.append(RedisCommand("AUTH", arguments: (user.map { [.string($0)] } ?? []) + [.string(password)])) }
        commands.append(RedisCommand("SELECT", .integer(Int64(database))))
        return commands
    }
}

/// What is wrong with a Redis URL.
package struct RedisConfigurationError: Error, Sendable, CustomStringConvertible {
    package let description: String
}

extension TimeAmount {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
