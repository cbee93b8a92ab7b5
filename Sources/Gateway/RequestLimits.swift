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

    init?(_ limits: ServiceConfiguration.Limits, limit: AttemptLimit) {
        guard limits.isOn else { return nil }
        polls = RequestLimit(limit, name: "poll", perMinute: limits.pollsPerMinute)
        joins = RequestLimit(limit, name: "join", perMinute: limits.joinsPerMinute)
        management = RequestLimit(limit, name: "management", perMinute: limits.managementPerMinute)
    }
}

extension RequestLimit {
    /// Counts a poll by the holder of `entry`'s ticket.
    /// - Throws: ``GatewayError`` 429.
    func check(_ entry: Identifier) async throws { try check(try await attempt(entry.compact, number: entry.low)) }

    /// Counts a request from `address`.
    /// - Throws: ``GatewayError`` 429.
    func check(_ address: ClientAddress) async throws { try check(try await attempt(address.description, number: address.number)) }

    func check(_ verdict: AttemptLimit.Verdict) throws {
        if case .refused(let seconds) = verdict { throw GatewayError.tooManyRequests(retryAfterSeconds: seconds, perMinute: perMinute) }
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
