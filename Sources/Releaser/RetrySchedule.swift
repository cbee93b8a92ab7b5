/// When a callback that failed is tried again: after 1 s, 2 s, 32 s and 512 s, so that five attempts span about ten minutes; each pause
/// varied by a fifth either way, so that what failed together does not come back together.
struct RetrySchedule: Sendable {
    private static let longest = 512.0

    let maximumAttempts: Int

    /// The pause after the attempt numbered `attempt` (from 1); `nil` when it was the last.
    /// - Parameters:
    ///   - asked: what the receiver asked for (`Retry-After`), kept within the schedule's longest pause.
    ///   - jitter: a number from -1 to 1.
    func pause(after attempt: Int, asked: Duration? = nil, jitter: Double = .random(in: -1...1)) -> Duration? {
        guard attempt < maximumAttempts else { return nil }
        var seconds = attempt <= 2 ? Double(attempt) : Self.longest
        if attempt == 3 { seconds = 32 }
        let varied = Duration.seconds(seconds * (1 + 0.2 * jitter))
        return max(varied, min(asked ?? .zero, .seconds(Self.longest)))
    }
}
