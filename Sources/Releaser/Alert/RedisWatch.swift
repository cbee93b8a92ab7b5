/// What one worker remembers of its looks at Redis: whether it is slow, and when people must be told that it is away.
///
/// While Redis is away no incident can be kept in it and the workers cannot agree on who tells. It is the one that was the first of those
/// alive, at its last two looks: a newcomer that came first only just now is not known to the former first yet.
struct RedisWatch {
    /// Longer than this is slow.
    private static let slow = Duration.milliseconds(200)
    private static let slowLooks = 3
    private static let looksThatMakeFirst = 2

    /// How long it may be away before people are told.
    let patience: Duration
    private var asFirst = 0
    private var slowAnswers = 0
    private var awaySince: ContinuousClock.Instant?
    private var isTold = false

    init(patience: Duration) { self.patience = patience }

    var isSlow: Bool { slowAnswers >= Self.slowLooks }

    /// Redis has answered who is first of the workers alive, `delay` after it was asked.
    mutating func answered(isFirst: Bool, after delay: Duration) {
        asFirst = isFirst ? asFirst + 1 : 0
        slowAnswers = delay > Self.slow ? slowAnswers + 1 : 0
    }

    /// Redis has done all that was asked.
    mutating func succeeded() {
        awaySince = nil
        isTold = false
    }

    /// Redis has not done what was asked.
    /// - Returns: for how long that has been so, once, when this worker is to tell of it.
    mutating func failed(at now: ContinuousClock.Instant = .now) -> Duration? {
        let since = awaySince ?? now
        awaySince = since
        guard !isTold, asFirst >= Self.looksThatMakeFirst, since.duration(to: now) >= patience else { return nil }
        isTold = true
        return since.duration(to: now)
    }
}
