package import Logging
package import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// A Redis client with one connection for each event loop of a group. Concurrent callers share a connection, pipelined; replies arrive on
/// the caller's own loop.
///
/// A command is sent at most once. One that misses its deadline closes its connection, and all that was under way on it fails with it.
/// Cancelling the calling task does not take a command back: it may have run, so its reply is awaited, for no longer than its deadline.
package final class RedisClient: Service, Sendable {
    private let links: [RedisLink]
    private let presence: RedisPresence
    private let unsupported: RedisError?
    private let turn = Atomic<UInt>(0)

    /// - Parameter observer: told of every command and of every change of the connections; `nil` costs nothing.
    package init(
        _ configuration: RedisConfiguration, eventLoopGroup: any EventLoopGroup, logger: Logger, observer: (any RedisObserver)? = nil
    ) {
        let presence = RedisPresence(address: configuration.description, logger: logger, observer: observer)
        self.presence = presence
        unsupported = configuration.unsupportedFeature.map { RedisError(.unsupported($0), command: "") }
        links = eventLoopGroup.makeIterator().map {
            RedisLink(configuration, eventLoop: $0, presence: presence, observer: observer)
        }
    }

    /// Connects and stays connected until cancelled or shut down; what waits for a reply then fails as ``RedisError/Code/closed``.
    /// - Throws: ``RedisError`` when this version cannot do what the configuration asks for; never because Redis is away.
    package func run() async throws {
        if let unsupported { throw unsupported }
        for link in links { link.open() }
        // It throws on cancellation only, which ends the wait as well.
        try? await gracefulShutdown()
        for link in links { await link.close() }
    }

    /// Whether at least one connection is ready.
    package var isAvailable: Bool { presence.isAvailable }

    /// Sends a command for a caller on `eventLoop`, on that loop's own connection. Before ``run()`` has connected for the first time it
    /// waits for that, up to its deadline; whenever there is no connection later it fails at once.
    /// - Returns: a future of `eventLoop`, failed with ``RedisError``.
    package func send(_ command: RedisCommand, on eventLoop: any EventLoop) -> EventLoopFuture<RedisValue> {
        future(on: eventLoop) { link, promise in link.send(command, .promise(promise)) }
    }

    /// Runs a script by its SHA-1 for a caller on `eventLoop`; sends its text when the server does not know it.
    package func evaluate(
        _ script: RedisScript, keys: [String], arguments: [RedisArgument], on eventLoop: any EventLoop
    ) -> EventLoopFuture<RedisValue> {
        future(on: eventLoop) { link, promise in
            let call = RedisScriptCall(script, keys: keys, arguments: arguments, waiter: .promise(promise))
            link.send(call.bySHA1, .script(call))
        }
    }

    package func send(_ command: RedisCommand) async throws(RedisError) -> RedisValue {
        try await reply { link, waiter in link.send(command, waiter) }
    }

    package func evaluate(_ script: RedisScript, keys: [String], arguments: [RedisArgument]) async throws(RedisError) -> RedisValue {
        try await reply { link, waiter in
            let call = RedisScriptCall(script, keys: keys, arguments: arguments, waiter: waiter)
            link.send(call.bySHA1, .script(call))
        }
    }

    /// Sends commands in one flush on one connection.
    /// - Returns: what became of each, in order.
    /// - Throws: when none of them was sent.
    package func pipeline(_ commands: [RedisCommand]) async throws(RedisError) -> [Result<RedisValue, RedisError>] {
        if let unsupported { throw unsupported }
        if commands.isEmpty { return [] }
        let link = linkOfAnyThread()
        let results = await withCheckedContinuation { continuation in
            link.send(commands, RedisReplies(count: commands.count, continuation: continuation))
        }
        if case .failure(let error) = results[0], error.code == .unavailable || error.code == .overloaded { throw error }
        return results
    }

    // MARK: Choosing a connection

    private func future(
        on eventLoop: any EventLoop, _ send: (RedisLink, EventLoopPromise<RedisValue>) -> Void
    ) -> EventLoopFuture<RedisValue> {
        if let unsupported { return eventLoop.makeFailedFuture(unsupported) }
        let promise = eventLoop.makePromise(of: RedisValue.self)
        send(links.first { $0.eventLoop === eventLoop } ?? next(), promise)
        return promise.futureResult
    }

    private func reply(_ send: (RedisLink, RedisWaiter) -> Void) async throws(RedisError) -> RedisValue {
        if let unsupported { throw unsupported }
        let link = linkOfAnyThread()
        let result = await withCheckedContinuation { continuation in send(link, .continuation(continuation)) }
        return try result.get()
    }

    /// The connection of the loop that this thread runs, if it does; else one that is ready, in turn.
    private func linkOfAnyThread() -> RedisLink {
        links.first { $0.eventLoop.inEventLoop } ?? next()
    }

    private func next() -> RedisLink {
        let start = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        for offset in 0..<UInt(links.count) {
            let link = links[Int((start &+ offset) % UInt(links.count))]
            if link.isReady { return link }
        }
        return links[Int(start % UInt(links.count))]
    }
}
