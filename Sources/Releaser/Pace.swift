import WaitingRoom

/// When a queue's next release step is due, after what the last one answered.
struct Pace {
    /// A queue is looked at at least this often, so that a changed setting takes effect within a second.
    static let longest = Duration.milliseconds(500)

    /// The shortest pause of a queue whose people go faster than one a tick.
    let tick: Duration
    private var idle: Duration

    init(tick: Duration) {
        self.tick = tick
        idle = tick
    }

    /// - Parameter ratePerMinute: the queue's rate.
    /// - Returns: how long after the beginning of that step the next should begin.
    mutating func next(after release: Release, ratePerMinute: Double) -> Duration {
        guard let token = release.nextToken else {
            // Nobody waits: look again after growing pauses.
            defer { idle = min(Self.longest, idle * 2) }
            return idle
        }
        idle = tick
        if release.people.count == Queues.releaseBatch { return .zero }
        // A slow queue is woken when its token comes, exactly: its bucket holds only one, and what a late step misses is lost for ever. A
        // fast one's bucket holds a second's worth, and it is looked at once a tick, unless it has not opened or is full.
        let isSlow = ratePerMinute > 0 && 60 / ratePerMinute >= tick / .seconds(1)
        return min(Self.longest, isSlow || token > tick ? max(.milliseconds(1), token) : tick)
    }
}
