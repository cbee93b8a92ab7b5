import NIOCore

/// Where Redis is and how patient to be with it. Its descriptions never hold the password.
package struct RedisConfiguration: Sendable {
    /// The servers behind the name.
    package enum Topology: Sendable, Equatable {
        case single(Endpoint)
        case sentinel([Endpoint], primary: String)
        case cluster([Endpoint])
    }

    package enum Endpoint: Sendable, Hashable {
        case tcp(host: String, port: Int)
        case unix(path: String)
    }

    package var topology: Topology
    /// `nil` for connections in the clear.
    package var tls: RedisTLS?
    package var user: String?
    package var password: String?
    package var database = 0
    /// Of the sentinels, whose passwords are not those of the servers; `nil` when they have none.
    package var sentinelPassword: String?
    /// From sending a command to the end of its reply. Below the second in which visitors are told that Redis is away.
    package var commandTimeout = Duration.milliseconds(900)
    /// For opening a connection, and again for what is said on it before its first use.
    package var connectTimeout = Duration.milliseconds(900)
    /// Commands that may wait on one connection, sent or not.
    package var maximumWaitingCommands = 16_384
    /// The largest reply read, in bytes; a server that promises more is not believed, and what exceeds it closes the connection.
    package var maximumReplyBytes = 64 * 1024 * 1024
    /// The pause before connecting again doubles from the shortest to the longest; up to half of it is left out at random.
    package var shortestReconnectPause = Duration.milliseconds(50)
    package var longestReconnectPause = Duration.milliseconds(500)

    /// Reads `redis://[[user]:password@]host[:port][/db]`, `rediss://` alike, `unix:///path[?db=0]`,
    /// `redis+sentinel://host:port,…/primary[/db]` or `redis+cluster://host:port,…`, and those two with `rediss`. Special characters of the
    /// password are percent-encoded. Ports are 6379 and 26379 (Sentinel) by default.
    /// - Parameter makeTLS: called where the scheme asks for it.
    /// - Throws: ``RedisConfigurationError``, and what `makeTLS` throws.
    package init(url: String, makeTLS: () throws -> RedisTLS = { try RedisTLS() }) throws {
        let url = try RedisURL(url)
        if url.scheme.hasPrefix("rediss") { tls = try makeTLS() }
        user = url.user
        password = url.password
        switch url.scheme {
        case "redis", "rediss":
            guard url.hosts.count == 1 else { throw RedisConfigurationError("one host is expected") }
            topology = .single(try RedisURL.endpoint(url.hosts[0], port: 6379))
            database = try RedisURL.database(url.path)
            try url.requireNoQuery()
        case "unix":
            guard url.hosts == [""], !url.path.isEmpty else { throw RedisConfigurationError("unix:/// and an absolute path are expected") }
            topology = .single(.unix(path: "/" + url.path))
            database = try RedisURL.database(url.databaseInQuery())
        case "redis+sentinel", "rediss+sentinel":
            let parts = url.path.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let primary = parts.first, !primary.isEmpty else { throw RedisConfigurationError("the primary's name is missing") }
            topology = .sentinel(try url.hosts.map { try RedisURL.endpoint($0, port: 26_379) }, primary: primary)
            database = try RedisURL.database(parts.count > 1 ? parts[1] : "")
            try url.requireNoQuery()
        case "redis+cluster", "rediss+cluster":
            guard url.path.isEmpty else { throw RedisConfigurationError("a cluster has no numbered databases") }
            topology = .cluster(try url.hosts.map { try RedisURL.endpoint($0, port: 6379) })
            try url.requireNoQuery()
        default:
            throw RedisConfigurationError(
                "the scheme is none of redis, rediss, unix, redis+sentinel, rediss+sentinel, redis+cluster and rediss+cluster")
        }
    }
}

extension RedisConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The address without user and password.
    package var description: String {
        let scheme = tls == nil ? "redis" : "rediss"
        return switch topology {
        case .single(.unix(let path)): "unix://\(path)?db=\(database)"
        case .single(let endpoint): "\(scheme)://\(endpoint)/\(database)"
        case .sentinel(let endpoints, let primary): "\(scheme)+sentinel://\(Self.list(endpoints))/\(primary)/\(database)"
        case .cluster(let endpoints): "\(scheme)+cluster://\(Self.list(endpoints))"
        }
    }

    package var debugDescription: String { description }

    package var customMirror: Mirror { Mirror(self, children: []) }

    private static func list(_ endpoints: [Endpoint]) -> String { endpoints.map(\.description).joined(separator: ",") }
}

extension RedisConfiguration.Endpoint: CustomStringConvertible {
    package var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path
        }
    }
}

/// What is wrong with a Redis URL, in words that hold nothing of the URL.
package struct RedisConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
