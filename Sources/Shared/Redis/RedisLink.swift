import Logging
import NIOCore
import NIOPosix

/// The way to Redis of one event loop: at most one connection at a time, made again with growing pauses when it is lost. Confined to its
/// event loop.
final class RedisLink {
    private enum State {
        /// Not asked to connect yet, or connecting for the first time: commands wait.
        case starting
        case connected(RedisConnection)
        /// Lost; commands fail at once until it is back.
        case away
        case stopped
    }

    private struct Early {
        let command: RedisCommand
        let promise: EventLoopPromise<RedisValue>
        let deadline: NIODeadline
    }

    private let configuration: RedisConfiguration
    private let eventLoop: any EventLoop
    private let presence: RedisPresence
    private let logger: Logger
    private var state = State.starting
    private var early = CircularBuffer<Early>()
    private var failures = 0

    init(_ configuration: RedisConfiguration, eventLoop: any EventLoop, presence: RedisPresence, logger: Logger) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.presence = presence
        self.logger = logger
    }

    func send(_ command: RedisCommand, _ promise: EventLoopPromise<RedisValue>) {
        let deadline = NIODeadline.now() + TimeAmount(configuration.commandTimeout)
        switch state {
        case .connected(let connection): connection.send(command, promise, deadline: deadline)
        case .starting:
            guard early.count < configuration.maximumWaitingCommands else {
                return promise.fail(RedisError(.overloaded, command: command.name))
            }
            if early.isEmpty { failEarly(after: deadline) }
            early.append(Early(command: command, promise: promise, deadline: deadline))
        case .away, .stopped: promise.fail(RedisError(.unavailable, command: command.name))
        }
    }

    /// A start that takes longer than a command may wait fails those that came early.
    private func failEarly(after deadline: NIODeadline) {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(deadline: deadline) {
            let link = bound.value
            while let first = link.early.first, first.deadline <= .now() {
                link.early.removeFirst()
                first.promise.fail(RedisError(.unavailable, command: first.command.name))
            }
            if let first = link.early.first { link.failEarly(after: first.deadline) }
        }
    }

    // MARK: Connecting

    func connect() {
        if case .stopped = state { return }
        let configuration = configuration
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(configuration.connectTimeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let link = bound.value
                    let connection = RedisConnection(configuration) { connection in link.lost(connection) }
                    try channel.pipeline.syncOperations.addHandler(connection)
                }
            }
        let channel: EventLoopFuture<any Channel>
        switch configuration.topology {
        case .single(.tcp(let host, let port)): channel = bootstrap.connect(host: host, port: port)
        case .single(.unix(let path)): channel = bootstrap.connect(unixDomainSocketPath: path)
        }
        channel.assumeIsolatedUnsafeUnchecked().whenComplete { result in
            switch result {
            case .success(let channel): self.greet(channel)
            case .failure(let error): self.retry("\(error)")
            }
        }
    }

    private func greet(_ channel: any Channel) {
        guard let connection = try? channel.pipeline.syncOperations.handler(type: RedisConnection.self) else {
            return retry("the connection closed at once")
        }
        let deadline = NIODeadline.now() + TimeAmount(configuration.commandTimeout)
        let answers = configuration.greeting.map { command in
            let promise = eventLoop.makePromise(of: RedisValue.self)
            connection.send(command, promise, deadline: deadline)
            return promise.futureResult
        }
        EventLoopFuture.andAllSucceed(answers, on: eventLoop).assumeIsolatedUnsafeUnchecked().whenComplete { result in
            switch result {
            case .success: self.connected(connection)
            case .failure(let error):
                self.retry("\(error)")
                connection.close()
            }
        }
    }

    private func connected(_ connection: RedisConnection) {
        if case .stopped = state { return connection.close() }
        state = .connected(connection)
        failures = 0
        presence.changed(by: 1)
        while let first = early.popFirst() { connection.send(first.command, first.promise, deadline: first.deadline) }
    }

    private func lost(_ connection: RedisConnection) {
        // One that is lost while greeting is told to `greet` by its failed commands.
        guard case .connected(let current) = state, current === connection else { return }
        state = .away
        presence.changed(by: -1)
        retry("the connection was lost")
    }

    private func retry(_ reason: String) {
        if case .stopped = state { return }
        state = .away
        while let first = early.popFirst() { first.promise.fail(RedisError(.unavailable, command: first.command.name)) }
        logger.debug("Redis is away", metadata: ["address": "\(configuration)", "reason": "\(reason)"])
        let (shortest, longest) = configuration.reconnectDelay
        let pause = min(longest, shortest * (1 << min(failures, 10)))
        failures += 1
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: TimeAmount(pause * Double.random(in: 0.5...1))) { bound.value.connect() }
    }

    func stop() {
        if case .connected(let connection) = state {
            state = .stopped
            presence.changed(by: -1)
            connection.close()
        }
        state = .stopped
        while let first = early.popFirst() { first.promise.fail(RedisError(.unavailable, command: first.command.name)) }
    }
}
