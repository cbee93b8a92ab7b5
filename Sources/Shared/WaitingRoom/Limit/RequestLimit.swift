package import NIOCore
package import Redis
import Synchronization

/// A limit for requests so frequent that Redis should not be asked about each.
///
/// A gateway counts a client's first few requests of a minute by itself, a twelfth of the limit, and tells Redis of them with the next one;
/// from then on Redis decides. So the limit is exact over up to twelve gateways, and a gateway beyond those adds a twelfth at most.
package final class RequestLimit: Sendable {
    private struct State {
        var minute: Int64 = 0
        /// Requests of this minute that Redis has not been told of; `nil` when it knows of all.
        var untold: [UInt64: Int?] = [:]
    }

    private let limit: AttemptLimit
    private let name: String
    package let perMinute: Int
    private let free: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - name: what is counted, such as `poll`.
    ///   - perMinute: the most that one client may send in a sliding minute.
    package init(_ limit: AttemptLimit, name: String, perMinute: Int) {
        self.limit = limit
        self.name = name
        self.perMinute = perMinute
        free = perMinute / 12
    }

    /// Counts a request of `client`, whose `number` is unlike any other's.
    package func attempt(_ client: String, number: UInt64) async throws(RedisError) -> AttemptLimit.Verdict {
        guard let cost = cost(number) else { return .allowed(left: perMinute - free) }
        return try await limit.attempt("\(name):\(client)", perMinute: perMinute, cost: cost)
    }

    /// ``attempt(_:number:)`` for a caller on an event loop of the Redis client.
    /// - Returns: `nil` when it is allowed without asking.
    package func attempt(_ client: @autoclosure () -> String, number: UInt64, on eventLoop: any EventLoop) -> EventLoopFuture<
        AttemptLimit.Verdict
    >? {
        cost(number).map { limit.attempt("\(name):\(client())", perMinute: perMinute, cost: $0, on: eventLoop) }
    }

    /// What Redis is to count for this request; `nil` for nothing yet.
    private func cost(_ number: UInt64) -> Int? {
        let minute = Timestamp.now().milliseconds / 60_000
        return state.withLock { state in
            if state.minute != minute { state = State(minute: minute) }
            guard let untold = state.untold[number, default: 0] else { return 1 }
            if untold < free {
                state.untold[number] = .some(untold + 1)
                return nil
            }
            state.untold[number] = .some(nil)
            return untold + 1
        }
    }
}
