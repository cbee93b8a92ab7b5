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
    /// The most clients counted here in one minute; Redis is told at once of those beyond.
    static let mostClients = 500_000

    /// What was counted and not told, in the last minute and in this one; `nil` for a client whose requests Redis is told of.
    private struct Count {
        let before: Int?
        var now: Int?
    }

    private var minute: Int64 = 0
    private var current: [UInt64: Count] = [:]
    private var last: [UInt64: Count] = [:]

    /// Counts a request of client `number`.
    /// - Returns: how many Redis is to count with it; `nil` for none, while there are no more than `free`.
    mutating func cost(of number: UInt64, minute: Int64, free: Int) -> Int? {
        if self.minute != minute {
            last = self.minute == minute - 1 ? current : [:]
            current = [:]
            self.minute = minute
        }
        if let index = current.index(forKey: number) { return Self.cost(&current.values[index], free: free) }
        if current.count >= Self.mostClients { return 1 }
        var count = Count(before: last[number].map(\.now) ?? 0, now: 0)
        defer { current[number] = count }
        return Self.cost(&count, free: free)
    }

    private static func cost(_ count: inout Count, free: Int) -> Int? {
        guard let before = count.before, let now = count.now else {
            count.now = nil
            return 1
        }
        let isFree = before + now < free
        count.now = isFree ? now + 1 : nil
        return isFree ? nil : before + now + 1
    }
}
