import NIOCore
import Synchronization

/// One server: a connection for each event loop of a group.
final class RedisNode: Sendable {
    private let links: [RedisLink]
    private let turn = Atomic<UInt>(0)

    init(
        _ configuration: RedisConfiguration, target: RedisTarget, eventLoops: [any EventLoop], presence: RedisPresence,
        observer: (any RedisObserver)?
    ) {
        links = eventLoops.map {
            RedisLink(configuration, target: target, eventLoop: $0, presence: presence, observer: observer)
        }
    }

    func open() { for link in links { link.open() } }

    /// Closes for good, and returns once the connections are gone.
    func close() async { for link in links { await link.close() } }

    /// Connections to any other server than `endpoint` are given up.
    func leave(unless endpoint: RedisConfiguration.Endpoint) { for link in links { link.leave(unless: endpoint) } }

    var isReady: Bool { links.contains { $0.isReady } }

    func reply(to command: RedisCommand) async -> Result<RedisValue, RedisError> {
        await withCheckedContinuation { linkOfAnyThread().send(command, .continuation($0)) }
    }

    func link(on eventLoop: any EventLoop) -> RedisLink { links.first { $0.eventLoop === eventLoop } ?? next() }

    /// The connection of the loop that this thread runs, if it does; else one that is ready, in turn.
    func linkOfAnyThread() -> RedisLink { links.first { $0.eventLoop.inEventLoop } ?? next() }

    private func next() -> RedisLink {
        let start = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        for offset in 0..<UInt(links.count) {
            let link = links[Int((start &+ offset) % UInt(links.count))]
            if link.isReady { return link }
        }
        return links[Int(start % UInt(links.count))]
    }
}
