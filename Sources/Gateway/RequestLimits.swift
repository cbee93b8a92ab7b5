import Hummingbird
import NIOCore
import Redis
import WaitingRoom

/// The limits of what clients may ask for in a minute (`RATE_LIMIT` and its kin). `nil` where limits are off.
struct RequestLimits: Sendable {
    /// Polls by ticket.
    let polls: RequestLimit
    /// Joins by the client's address.
    let joins: RequestLimit
    /// Management by who signed in, or by address for those who could not.
    let management: RequestLimit
    private let metrics: GatewayMetrics

    init?(_ limits: ServiceConfiguration.Limits, limit: AttemptLimit, metrics: GatewayMetrics) {
        guard limits.isOn else { return nil }
        self.metrics = metrics
        polls = RequestLimit(limit, name: "polls", perMinute: limits.pollsPerMinute)
        joins = RequestLimit(limit, name: "joins", perMinute: limits.joinsPerMinute)
        management = RequestLimit(limit, name: "management", perMinute: limits.managementPerMinute)
    }
}

extension RequestLimits {
    /// Counts a poll by the holder of `entry`'s ticket.
    /// - Throws: ``GatewayError`` 429.
    func poll(_ entry: Identifier) async throws { try check(polls, try await polls.attempt(entry.compact, number: entry.low)) }

    /// Counts a join from `address`.
    /// - Throws: ``GatewayError`` 429.
    func join(_ address: ClientAddress) async throws {
        try check(joins, try await joins.attempt(address.description, number: address.number))
    }

    /// Counts a management call by `credential`.
    /// - Throws: ``GatewayError`` 429.
    func manage(_ credential: Identifier) async throws {
        try check(management, try await management.attempt(credential.compact, number: credential.low))
    }

    /// Counts a credential from `address` that is none.
    /// - Throws: ``GatewayError`` 429.
    func wrongCredential(_ address: ClientAddress) async throws {
        try check(management, try await management.attempt(address.description, number: address.number))
    }

    func check(_ limit: RequestLimit, _ verdict: AttemptLimit.Verdict) throws {
        guard case .refused(let seconds) = verdict else { return }
        metrics.limited(by: limit.name)
        throw GatewayError.tooManyRequests(retryAfterSeconds: seconds, perMinute: limit.perMinute)
    }
}

extension ClientAddress {
    /// One of 2^64 numbers, the same for the same address in this process.
    var number: UInt64 {
        var hasher = Hasher()
        hasher.combine(description)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}
