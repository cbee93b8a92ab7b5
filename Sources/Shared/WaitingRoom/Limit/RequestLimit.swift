package import NIOCore
package import Redis
import Synchronization

/// A limit for requests so frequent that Redis should not be asked about each.
///
/// A gateway counts a client's first few requests by itself, a twelfth of the limit in two minutes, and tells Redis of them with the next
/// one; from then on, until the client has been quiet for a minute, Redis decides. So the limit is exact over up to twelve gateways, and a
/// gateway beyond those adds a twelfth at most.
package final class RequestLimit: Sendable {
    private let limit: AttemptLimit
    package let name: String
    package let perMinute: Int
    private let free: Int
    private let untold = Mutex(UntoldRequests())

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
        return untold.withLock { $0.cost(of: number, minute: minute, free: free) }
    }
}

/// The requests that Redis has not been told of, by client, in this minute and the last: Redis's window reaches into the last as well.
struct UntoldRequests {
    private var minute: Int64 = 0
    /// `nil` for a client whose requests Redis is told of.
    private var current: [UInt64: Int?] = [:]
    private var last: [UInt64: Int?] = [:]

    /// Counts a request of client `number`.
    /// - Returns: how many Redis is to count with it; `nil` for none, while there are no more than `free`.
    mutating func cost(of number: UInt64, minute: Int64, free: Int) -> Int? {
        if self.minute != minute {
            last = self.minute == minute - 1 ? current : [:]
            current = [:]
            self.minute = minute
        }
        guard let before = last[number, default: 0], let now = current[number, default: 0] else {
            current[number] = .some(nil)
            return 1
        }
        if before + now < free {
            current[number] = .some(now + 1)
            return nil
        }
        current[number] = .some(nil)
        return before + now + 1
    }
}
