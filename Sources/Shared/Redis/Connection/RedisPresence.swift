import Logging
import Synchronization

/// How many connections are ready, and for how long there has been none. That Redis is away is said once a minute at most, and that it is
/// back once if it was said.
final class RedisPresence: Sendable {
    private struct State {
        var ready = 0
        var awaySince: ContinuousClock.Instant?
        /// When it was last said that Redis is away; whether that still stands.
        var warned: ContinuousClock.Instant?
        var isAnnounced = false
    }

    private let state = Mutex(State())
    private let address: String
    private let logger: Logger
    private let observer: (any RedisObserver)?

    /// - Parameter address: without a password.
    init(address: String, logger: Logger, observer: (any RedisObserver)?) {
        self.address = address
        self.logger = logger
        self.observer = observer
    }

    var isAvailable: Bool { state.withLock { $0.ready > 0 } }

    /// One more connection is ready.
    func gained() {
        let (ready, away) = state.withLock { state in
            defer {
                state.ready += 1
                state.awaySince = nil
                state.isAnnounced = false
            }
            return (state.ready + 1, state.isAnnounced ? state.awaySince?.duration(to: .now) : nil)
        }
        observer?.connectionsChanged(ready: ready)
        if let away {
            logger.notice("Redis is back", metadata: ["address": "\(address)", "away_seconds": "\(away.components.seconds)"])
        }
    }

    /// A connection that was ready is gone.
    func lost(_ reason: String) {
        let ready = state.withLock { state in
            state.ready -= 1
            return state.ready
        }
        observer?.connectionsChanged(ready: ready)
        failed(reason)
    }

    /// A connection that was ready is closed as asked.
    func closed() {
        let ready = state.withLock { state in
            state.ready -= 1
            return state.ready
        }
        observer?.connectionsChanged(ready: ready)
    }

    /// There could not be a connection.
    func failed(_ reason: String) {
        let isDue = state.withLock { state in
            let now = ContinuousClock.now
            if state.ready == 0, state.awaySince == nil { state.awaySince = now }
            if let warned = state.warned, warned.duration(to: now) < .seconds(60) { return false }
            state.warned = now
            state.isAnnounced = true
            return true
        }
        logger.log(
            level: isDue ? .warning : .debug, "No connection to Redis; trying again",
            metadata: ["address": "\(address)", "reason": "\(reason)"])
    }
}
