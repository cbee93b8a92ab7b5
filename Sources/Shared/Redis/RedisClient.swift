package import Logging
package import NIOCore
import ServiceLifecycle
import Synchronization

/// A Redis client with one connection for each event loop of a group. Commands of concurrent callers share it, pipelined; replies arrive
/// on the caller's own loop.
///
/// A command is sent at most once. One that misses its deadline closes its connection, and all that was under way on it fails with it.
package final class RedisClient: Service, Sendable {
    private let links: [(eventLoop: any EventLoop, link: NIOLoopBoundBox<RedisLink>)]
    private let presence: RedisPresence
    private let turn = Atomic(0)

    package init(_ configuration: RedisConfiguration, eventLoopGroup: any EventLoopGroup, logger: Logger) {
        let presence = RedisPresence(logger: logger)
        self.presence = presence
        links = eventLoopGroup.makeIterator().map { eventLoop in
            let link = RedisLink(configuration, eventLoop: eventLoop, presence: presence, logger: logger)
            return (eventLoop, NIOLoopBoundBox.makeBoxSendingValue(link, eventLoop: eventLoop))
        }
    }

    /// Connects and stays connected until cancelled or shut down. It never ends because Redis is away.
    package func run() async throws {
        for (eventLoop, link) in links { eventLoop.execute { link.value.connect() } }
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
        }
        for (eventLoop, link) in links { eventLoop.execute { link.value.stop() } }
    }

    /// Whether there is a connection.
    package var isAvailable: Bool { presence.isAvailable }

    /// Sends a command for a caller on `eventLoop`, on that loop's own connection.
    /// - Returns: a future of `eventLoop`, failed with ``RedisError``.
    package func send(_ command: RedisCommand, on eventLoop: any EventLoop) -> EventLoopFuture<RedisValue> {
        let promise = eventLoop.makePromise(of: RedisValue.self)
        for (own, link) in links where own === eventLoop {
            if eventLoop.inEventLoop {
                link.value.send(command, promise)
            } else {
                eventLoop.execute { link.value.send(command, promise) }
            }
            return promise.futureResult
        }
        let (other, link) = next()
        other.execute { link.value.send(command, promise) }
        return promise.futureResult
    }

    /// Runs a script for a caller on `eventLoop`.
    package func evaluate(_ script: RedisScript, keys: [String], arguments: [RedisArgument], on eventLoop: any EventLoop)
        -> EventLoopFuture<RedisValue>
    {
        send(script.command("EVALSHA", script.sha1, keys: keys, arguments: arguments), on: eventLoop).flatMapError { error in
            guard (error as? RedisError)?.serverCode == "NOSCRIPT" else { return eventLoop.makeFailedFuture(error) }
            // The server has not run it, so this is no second try.
            return self.send(script.command("EVAL", script.source, keys: keys, arguments: arguments), on: eventLoop)
        }
    }

    package func send(_ command: RedisCommand) async throws(RedisError) -> RedisValue {
        try await Self.value(send(command, on: next().eventLoop), command: command.name)
    }

    package func evaluate(_ script: RedisScript, keys: [String], arguments: [RedisArgument]) async throws(RedisError) -> RedisValue {
        try await Self.value(evaluate(script, keys: keys, arguments: arguments, on: next().eventLoop), command: script.name)
    }

    /// Sends commands in one flush on one connection.
    /// - Returns: their replies, or what became of each, in order.
    package func pipeline(_ commands: [RedisCommand]) async throws(RedisError) -> [Result<RedisValue, RedisError>] {
        let eventLoop = next().eventLoop
        let all = eventLoop.flatSubmit {
            EventLoopFuture.whenAllComplete(commands.map { self.send($0, on: eventLoop) }, on: eventLoop)
        }
        do {
            return zip(commands, try await all.get()).map { command, result in
                result.mapError { $0 as? RedisError ?? RedisError(.closed, command: command.name) }
            }
        } catch {
            throw RedisError(.closed, command: "pipeline")
        }
    }

    private func next() -> (eventLoop: any EventLoop, link: NIOLoopBoundBox<RedisLink>) {
        links[abs(turn.wrappingAdd(1, ordering: .relaxed).oldValue) % links.count]
    }

    private static func value(_ future: EventLoopFuture<RedisValue>, command: String) async throws(RedisError) -> RedisValue {
        do {
            return try await future.get()
        } catch let error as RedisError {
            throw error
        } catch {
            throw RedisError(.closed, command: command)
        }
    }
}
