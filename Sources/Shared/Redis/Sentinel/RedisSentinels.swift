import Logging
import NIOCore
import Synchronization

/// Sentinels, and who the primary is by their word (Redis manual, "Guidelines for Redis clients with support for Redis Sentinel").
///
/// The sentinel that was right last is asked first. One that names a server that is no primary, or none that can be reached, is asked last
/// the next time: it may be cut off from the others.
final class RedisSentinels: Sendable {
    struct NoPrimary: Error, CustomStringConvertible {
        let description: String
    }

    private struct Sentinel {
        let endpoint: RedisConfiguration.Endpoint
        let link: RedisLink
        let presence: RedisPresence
    }

    private let name: String
    private let sentinels: [Sentinel]
    private let eventLoop: any EventLoop
    private let preferred = Atomic(0)

    /// - Parameters:
    ///   - configuration: of the servers; sentinels have a password of their own, or none.
    ///   - name: the primary's.
    init(_ configuration: RedisConfiguration, at endpoints: [RedisConfiguration.Endpoint], name: String, eventLoop: any EventLoop) {
        var configuration = configuration
        (configuration.user, configuration.password, configuration.database) = (nil, configuration.sentinelPassword, 0)
        // What is wrong with a sentinel matters only when none answers, and is told then.
        let silent = Logger(label: "sentinel") { _ in SwiftLogNoOpLogHandler() }
        self.name = name
        self.eventLoop = eventLoop
        sentinels = endpoints.map { endpoint in
            let presence = RedisPresence(address: endpoint.description, logger: silent, connections: RedisConnectionCount(observer: nil))
            let link = RedisLink(configuration, target: .server(endpoint), eventLoop: eventLoop, presence: presence, observer: nil)
            return Sentinel(endpoint: endpoint, link: link, presence: presence)
        }
    }

    func open() { for sentinel in sentinels { sentinel.link.open() } }

    func close() async { for sentinel in sentinels { await sentinel.link.close() } }

    /// Where the primary is, by the first sentinel that knows it.
    /// - Returns: a future of `eventLoop`, failed with ``NoPrimary``.
    func primary(on eventLoop: any EventLoop) -> EventLoopFuture<RedisConfiguration.Endpoint> {
        ask(preferred.load(ordering: .relaxed), left: sentinels.count, on: eventLoop)
    }

    func primary() async throws -> RedisConfiguration.Endpoint { try await primary(on: eventLoop).get() }

    /// The server that was named is not the primary, or cannot be reached.
    func doubt() { preferred.wrappingAdd(1, ordering: .relaxed) }

    private func ask(_ number: Int, left: Int, on eventLoop: any EventLoop) -> EventLoopFuture<RedisConfiguration.Endpoint> {
        let index = number % sentinels.count
        let sentinel = sentinels[index]
        let reply = eventLoop.makePromise(of: RedisValue.self)
        sentinel.link.send(RedisCommand("SENTINEL", "GET-MASTER-ADDR-BY-NAME", .string(name)), .promise(reply))
        return reply.futureResult.flatMapThrowing { reply in
            guard let parts = reply.array, parts.count == 2, let host = parts[0].string, let port = parts[1].integer else {
                throw NoPrimary(description: "it knows no primary of that name")
            }
            if left < self.sentinels.count { self.preferred.store(index, ordering: .relaxed) }
            return .tcp(host: host, port: Int(port))
        }.flatMapError { error in
            if left > 1 { return self.ask(index + 1, left: left - 1, on: eventLoop) }
            let reason = (error as? NoPrimary)?.description ?? sentinel.presence.trouble ?? "\(error)"
            return eventLoop.makeFailedFuture(
                NoPrimary(description: "no sentinel names the primary \"\(self.name)\"; \(sentinel.endpoint), asked last: \(reason)"))
        }
    }
}
