/// What the connection of one event loop is at, and what it does next. A value that decides; ``RedisConnection`` acts.
struct RedisConnectionState {
    private enum Phase: Equatable {
        case idle, connecting, ready, pausing, closed
    }

    private let shortestPause: Duration
    private let longestPause: Duration
    private var phase = Phase.idle
    /// Since the connection was last ready.
    private var failures = 0
    /// Commands wait for the first connection, but not for a later one.
    private var isPatient = true

    init(shortestPause: Duration, longestPause: Duration) {
        self.shortestPause = shortestPause
        self.longestPause = longestPause
    }

    var isConnecting: Bool { phase == .connecting }

    var isReady: Bool { phase == .ready }

    /// Why a command is not taken on now; `nil` when it is sent or may wait.
    var refusal: RedisError.Code? {
        switch phase {
        case .ready: nil
        case .idle, .connecting, .pausing: isPatient ? nil : .unavailable
        case .closed: .closed
        }
    }

    /// - Returns: whether to connect.
    mutating func open() -> Bool {
        guard phase == .idle || phase == .pausing else { return false }
        phase = .connecting
        return true
    }

    /// The server has accepted what a connection says first.
    /// - Returns: `false` when the connection is not wanted any more.
    mutating func ready() -> Bool {
        guard phase == .connecting else { return false }
        phase = .ready
        failures = 0
        isPatient = false
        return true
    }

    /// There is no connection, or none any more.
    /// - Parameter random: from 0 to 1; spreads clients that lost the same server.
    /// - Returns: after what pause to ``open()`` again; `nil` for never.
    mutating func lost(random: Double) -> Duration? {
        guard phase == .connecting || phase == .ready else { return nil }
        phase = .pausing
        isPatient = false
        failures += 1
        let pause = min(longestPause, shortestPause * (1 << min(failures - 1, 20)))
        return pause * (0.5 + random / 2)
    }

    /// A command has waited in vain for the first connection; the next ones do not wait.
    mutating func outwaited() { isPatient = false }

    mutating func close() { phase = .closed }
}
