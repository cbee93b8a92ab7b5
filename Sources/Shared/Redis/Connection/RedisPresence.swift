import Logging
import Synchronization

/// How many connections to a server are ready, and for how long there has been none. That Redis is away is said once a minute at most, and
/// that it is back once if it was said.
final class RedisPresence: Sendable {
    private struct State {
        var ready = 0
        var wasReady = false
        var returned: ContinuousClock.Instant?
        var endpoint: RedisConfiguration.Endpoint?
        var trouble: String?
        var awaySince: ContinuousClock.Instant?
        /// When it was last said that Redis is away; whether that still stands.
        var warned: ContinuousClock.Instant?
        var isAnnounced = false
    }

    private let state = Mutex(State())
    private let address: String
    private let logger: Logger
    private let connections: RedisConnectionCount

    /// - Parameter address: without a password.
    init(address: String, logger: Logger, connections: RedisConnectionCount) {
        self.address = address
        self.logger = logger
        self.connections = connections
    }

    var isAvailable: Bool { state.withLock { $0.ready > 0 } }

    /// When Redis came back last after there had been no connection, or another server took over; `nil` when neither was.
    var returned: ContinuousClock.Instant? { state.withLock { $0.returned } }

    /// Why there could be no connection, the last time.
    var trouble: String? { state.withLock { $0.trouble } }

    /// One more connection is ready.
    /// - Parameter endpoint: where it leads.
    func gained(at endpoint: RedisConfiguration.Endpoint?) {
        let away = state.withLock { state in
            if state.wasReady, state.ready == 0 || state.endpoint != endpoint { state.returned = .now }
            defer {
                state.ready += 1
                state.wasReady = true
                state.endpoint = endpoint
                state.awaySince = nil
                state.isAnnounced = false
            }
            return state.isAnnounced ? state.awaySince?.duration(to: .now) : nil
        }
        connections.change(by: 1)
        if let away {
            logger.notice("Redis is back", metadata: ["address": "\(address)", "away_seconds": "\(away.components.seconds)"])
        }
    }

    /// A connection that was ready is gone.
    func lost(_ reason: String) {
        state.withLock { $0.ready -= 1 }
        connections.change(by: -1)
        failed(reason)
    }

    /// A connection that was ready is closed as asked.
    func closed() {
        state.withLock { $0.ready -= 1 }
        connections.change(by: -1)
    }

    /// There could not be a connection.
    func failed(_ reason: String) {
        let isDue = state.withLock { state in
            let now = ContinuousClock.now
            state.trouble = reason
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

/// The connections that are ready, to all servers.
final class RedisConnectionCount: Sendable {
    private let ready = Atomic(0)
    private let observer: (any RedisObserver)?

    init(observer: (any RedisObserver)?) { self.observer = observer }

    func change(by difference: Int) {
        let ready = ready.wrappingAdd(difference, ordering: .relaxed).newValue
        observer?.connectionsChanged(ready: ready)
    }
}
