import WaitingRoom

/// A way by which people are told of alerts.
protocol AlertChannel: Sendable {
    /// The same in every worker: what was told by it is kept under this name.
    var name: String { get }
    /// The longest that one attempt takes.
    var timeLimit: Duration { get }

    func send(_ alert: Alert) async throws(AlertFailure)
}

/// Why an alert could not be sent, in a few words without a secret.
struct AlertFailure: Error, Equatable {
    let reason: String
    /// What the receiver asked for.
    var retryAfter: Duration? = nil

    private static let longest = 900.0

    /// How long to wait before the next attempt: 10 s, then four times as long each time, a quarter of an hour at most.
    /// - Parameter attempts: those that failed before this one.
    func pause(after attempts: Int) -> Duration {
        let seconds = min(Self.longest, attempts < 5 ? Double(10 << (2 * attempts)) : Self.longest)
        return max(.seconds(seconds), min(retryAfter ?? .zero, .seconds(Self.longest)))
    }
}
