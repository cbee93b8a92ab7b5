package import Logging
package import NIOCore
import NIOPosix
import ServiceLifecycle

/// A Redis client with one connection to each server for each event loop of a group. Concurrent callers share a connection, pipelined;
/// replies arrive on the caller's own loop.
///
/// A command is run at most once. One that misses its deadline closes its connection, and all that was under way on it fails with it.
/// Cancelling the calling task does not take a command back: it may have run, so its reply is awaited, for no longer than its deadline.
///
/// Behind sentinels the server is the primary that they name; in a cluster each command goes to the server that has its keys.
package final class RedisClient: Service, Sendable {
    private enum Route {
        case server(RedisNode)
        case cluster(RedisCluster)
    }

    /// How often sentinels are asked whether the primary is another one now.
    private static let sentinelPause = Duration.seconds(1)

    /// The loop of a caller who has none.
    package let eventLoop: any EventLoop
    private let route: Route
    private let address: String
    private let sentinels: RedisSentinels?
    private let presence: RedisPresence

    /// - Parameter observer: told of every command and of every change of the connections; `nil` costs nothing.
    package init(
        _ configuration: RedisConfiguration, eventLoopGroup: any EventLoopGroup, logger: Logger, observer: (any RedisObserver)? = nil
    ) {
        let eventLoops = Array(eventLoopGroup.makeIterator())
        eventLoop = eventLoops[0]
        let presence = RedisPresence(
            address: configuration.description, logger: logger, connections: RedisConnectionCount(observer: observer))
        self.presence = presence
        address = configuration.description
        func node(_ target: RedisTarget) -> RedisNode {
            RedisNode(configuration, target: target, eventLoops: eventLoops, presence: presence, observer: observer)
        }
        switch configuration.topology {
        case .single(let endpoint):
            sentinels = nil
            route = .server(node(.server(endpoint)))
        case .sentinel(let endpoints, let name):
            let sentinels = RedisSentinels(configuration, at: endpoints, name: name, eventLoop: eventLoops[0])
            self.sentinels = sentinels
            route = .server(node(.primary(sentinels)))
        case .cluster(let endpoints):
            sentinels = nil
            route = .cluster(
                RedisCluster(configuration, seeds: endpoints, eventLoops: eventLoops, logger: logger, observer: observer))
        }
    }

    /// Connects and stays connected until cancelled or shut down; what waits for a reply then fails as ``RedisError/Code/closed``. That
    /// Redis is away ends nothing.
    package func run() async throws {
        sentinels?.open()
        switch route {
        case .server(let node): node.open()
        case .cluster(let cluster): cluster.open()
        }
        let following = Task { await follow() }
        // It throws on cancellation only, which ends the wait as well.
        try? await gracefulShutdown()
        following.cancel()
        switch route {
        case .server(let node): await node.close()
        case .cluster(let cluster): await cluster.close()
        }
        await sentinels?.close()
    }

    private func follow() async {
        switch route {
        case .server(let node): await followPrimary(node)
        case .cluster(let cluster): await cluster.keep()
        }
    }

    /// A server that is not the primary any more may not know it yet: the sentinels' word counts.
    private func followPrimary(_ node: RedisNode) async {
        guard let sentinels else { return }
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.sentinelPause)
            if let endpoint = try? await sentinels.primary() { node.leave(unless: endpoint) }
        }
    }

    /// Whether at least one connection is ready; in a cluster, one to every server that has keys.
    package var isAvailable: Bool {
        switch route {
        case .server: presence.isAvailable
        case .cluster(let cluster): cluster.isAvailable
        }
    }

    /// When Redis came back last after there had been no connection, or another server took over; `nil` when neither was. In a cluster,
    /// when that was so of any part of it.
    package var returned: ContinuousClock.Instant? {
        switch route {
        case .server: presence.returned
        case .cluster(let cluster): cluster.returned
        }
    }

    // MARK: Commands

    /// Sends a command for a caller on `eventLoop`, on that loop's own connection. Before ``run()`` has connected for the first time it
    /// waits for that, up to its deadline; whenever there is no connection later it fails at once.
    /// - Returns: a future of `eventLoop`, failed with ``RedisError``.
    package func send(_ command: RedisCommand, on eventLoop: any EventLoop) -> EventLoopFuture<RedisValue> {
        let promise = eventLoop.makePromise(of: RedisValue.self)
        switch route {
        case .server(let node): node.link(on: eventLoop).send(command, .promise(promise))
        case .cluster(let cluster): cluster.send(command, .promise(promise), on: eventLoop)
        }
        return promise.futureResult
    }

    /// Runs a script by its SHA-1 for a caller on `eventLoop`; sends its text when the server does not know it.
    package func evaluate(
        _ script: RedisScript, keys: [String], arguments: [RedisArgument], on eventLoop: any EventLoop
    ) -> EventLoopFuture<RedisValue> {
        let promise = eventLoop.makePromise(of: RedisValue.self)
        switch route {
        case .server(let node):
            let call = RedisScriptCall(script, keys: keys, arguments: arguments, waiter: .promise(promise))
            node.link(on: eventLoop).send(call.bySHA1, .script(call))
        case .cluster(let cluster): cluster.evaluate(script, keys: keys, arguments: arguments, .promise(promise), on: eventLoop)
        }
        return promise.futureResult
    }

    /// - Parameter key: in a cluster a command without a key of its own is sent to the server that has this one.
    package func send(_ command: RedisCommand, near key: String? = nil) async throws(RedisError) -> RedisValue {
        let result = await withCheckedContinuation { continuation in
            switch route {
            case .server(let node): node.linkOfAnyThread().send(command, .continuation(continuation))
            case .cluster(let cluster): cluster.send(command, near: key, .continuation(continuation))
            }
        }
        return try result.get()
    }

    package func evaluate(_ script: RedisScript, keys: [String], arguments: [RedisArgument]) async throws(RedisError) -> RedisValue {
        let result = await withCheckedContinuation { continuation in
            switch route {
            case .server(let node):
                let call = RedisScriptCall(script, keys: keys, arguments: arguments, waiter: .continuation(continuation))
                node.linkOfAnyThread().send(call.bySHA1, .script(call))
            case .cluster(let cluster): cluster.evaluate(script, keys: keys, arguments: arguments, .continuation(continuation))
            }
        }
        return try result.get()
    }

    /// Sends commands in one flush on one connection; in a cluster, those for each server.
    /// - Returns: what became of each, in order.
    /// - Throws: when none of them was sent.
    package func pipeline(_ commands: [RedisCommand]) async throws(RedisError) -> [Result<RedisValue, RedisError>] {
        if commands.isEmpty { return [] }
        let results = await withCheckedContinuation { continuation in
            let replies = RedisReplies(count: commands.count, continuation: continuation)
            switch route {
            case .server(let node): node.linkOfAnyThread().send(commands, replies)
            case .cluster(let cluster): cluster.send(commands, replies)
            }
        }
        if let error = Self.refusal(results) { throw error }
        return results
    }

    /// Why none of the commands was sent; `nil` when one was.
    private static func refusal(_ results: [Result<RedisValue, RedisError>]) -> RedisError? {
        guard case .failure(let first) = results[0] else { return nil }
        let isRefused = results.allSatisfy { result in
            if case .failure(let error) = result { error.code == .unavailable || error.code == .overloaded } else { false }
        }
        return isRefused ? first : nil
    }

    /// Sends a command without a key to every server that has keys.
    /// - Returns: their addresses and what became of it; one failure without an address when it is not known which servers there are.
    package func sendToEach(_ command: RedisCommand) async -> [(server: String, result: Result<RedisValue, RedisError>)] {
        switch route {
        case .server(let node): return [(address, await node.reply(to: command))]
        case .cluster(let cluster):
            let primaries = cluster.primaries()
            if primaries.isEmpty { return [(address, .failure(RedisError(.unavailable, command: command.name)))] }
            var replies: [(server: String, result: Result<RedisValue, RedisError>)] = []
            for (endpoint, node) in primaries { replies.append((endpoint.description, await node.reply(to: command))) }
            return replies
        }
    }
}
