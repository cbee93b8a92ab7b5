import Logging
import Synchronization

/// How many connections are open, and for how long there has been none: said once when it begins and once when it ends.
final class RedisPresence: Sendable {
    private struct State {
        var connections = 0
        var awaySince: ContinuousClock.Instant?
    }

    private let state = Mutex(State())
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    var isAvailable: Bool { state.withLock { $0.connections > 0 } }

    func changed(by difference: Int) {
        let (connections, away) = state.withLock { state in
            state.connections += difference
            let away = state.awaySince?.duration(to: .now)
            if state.connections == 0 { state.awaySince = .now } else { state.awaySince = nil }
            return (state.connections, away)
        }
        if connections == 0 {
            logger.warning("Lost Redis; trying to connect again")
        } else if let away {
            logger.notice("Redis is back", metadata: ["away_seconds": "\(away.components.seconds)"])
        }
    }
}
