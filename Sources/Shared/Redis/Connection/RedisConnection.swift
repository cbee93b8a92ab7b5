import NIOCore
import NIOPosix
import Synchronization

/// What a connection connects to.
enum RedisTarget: Sendable {
    case server(RedisConfiguration.Endpoint)
    /// The server that the sentinels name at that time, and that agrees to be the primary.
    case primary(RedisSentinels)
}

/// The connection of one event loop: opened, greeted, and replaced when lost. Confined to that loop.
///
/// Commands are written as they come and flushed once a turn of the loop; each reply goes to the command that is next in line. Which of the
/// commands under way on a lost connection ran is unknown, so they fail and none is tried again.
final class RedisConnection {
    /// Commands that are flushed even though the turn is not over, so that client and server do not work in lock-step.
    private static let flushBatch = 16
    /// A buffer that grew beyond this for some large command is not kept.
    private static let largestKeptBuffer = 256 * 1024
    /// A timer that comes later than this tells that the event loop was held up.
    private static let standstill = TimeAmount.milliseconds(50)
    /// For how long after that a reply is waited for: hundreds of sockets may be ready before that of the server, and a command may only
    /// then have been sent.
    private static let settling = TimeAmount.milliseconds(500)
    /// For how long a loop that is held up again and again is not taken for a server that does not answer.
    private static let patience = TimeAmount.seconds(2)

    private let configuration: RedisConfiguration
    private let target: RedisTarget
    private let eventLoop: any EventLoop
    private let load: RedisLoad
    private let presence: RedisPresence
    private let observer: (any RedisObserver)?

    private var state: RedisConnectionState
    private var channel: (any Channel)?
    /// Where ``channel`` leads.
    private var endpoint: RedisConfiguration.Endpoint?
    private var handler: RedisChannelHandler?
    private var greeting: RedisGreeting?
    private var greetingCheck: Scheduled<Void>?

    /// Commands without a reply, in the order of their bytes; the last ``unsentCount`` of them are still in ``unsent``.
    private var pending = CircularBuffer<RedisPending>(initialCapacity: 64)
    private var unsent = ByteBuffer()
    private var unsentCount = 0
    private var isReading = false
    private var isFlushScheduled = false
    /// The deadline of commands sent in this turn of the loop: the clock is read once for all of them.
    private var turnDeadline: NIODeadline?
    private var deadlineCheck: Scheduled<Void>?
    private var reopening: Scheduled<Void>?

    init(
        _ configuration: RedisConfiguration, target: RedisTarget, eventLoop: any EventLoop, load: RedisLoad,
        presence: RedisPresence, observer: (any RedisObserver)?
    ) {
        self.configuration = configuration
        self.target = target
        self.eventLoop = eventLoop
        self.load = load
        self.presence = presence
        self.observer = observer
        state = RedisConnectionState(shortestPause: configuration.shortestReconnectPause, longestPause: configuration.longestReconnectPause)
    }

    // MARK: Sending

    func send(_ command: RedisCommand, _ waiter: RedisWaiter) {
        if let refusal = state.refusal { return settle(waiter, .failure(RedisError(refusal, command: command.name))) }
        unsent.write(command)
        append(RedisPending(command: command.name, waiter: waiter, deadline: deadlineOfTurn()))
        if unsentCount >= Self.flushBatch { flush() }
        flushSoon()
    }

    /// Sends what `take` answers, commands already written; it is given an empty buffer to leave in their place.
    func send(_ take: (ByteBuffer) -> (ByteBuffer, [RedisPending])) {
        let isEmpty = unsent.readableBytes == 0
        var (bytes, commands) = take(isEmpty ? unsent : ByteBuffer())
        if let refusal = state.refusal {
            for command in commands { settle(command.waiter, .failure(RedisError(refusal, command: command.command))) }
            return
        }
        if isEmpty { unsent = bytes } else { unsent.writeBuffer(&bytes) }
        let deadline = deadlineOfTurn()
        for var command in commands {
            command.deadline = deadline
            append(command)
        }
        flush()
        flushSoon()
    }

    private func append(_ command: RedisPending) {
        pending.append(command)
        unsentCount += 1
        if deadlineCheck == nil { checkDeadlines(at: command.deadline) }
    }

    private func deadlineOfTurn() -> NIODeadline {
        if let turnDeadline { return turnDeadline }
        let deadline = NIODeadline.now() + TimeAmount(configuration.commandTimeout)
        turnDeadline = deadline
        return deadline
    }

    /// At the end of this turn.
    private func flushSoon() {
        if isReading || isFlushScheduled { return }
        isFlushScheduled = true
        eventLoop.assumeIsolatedUnsafeUnchecked().execute {
            self.isFlushScheduled = false
            self.turnDeadline = nil
            self.flush()
        }
    }

    private func flush() {
        guard unsentCount > 0, state.isReady else { return }
        handler?.write(unsent)
        unsentCount = 0
        // Written at once as a rule, which leaves the memory to us; if not, this takes new memory.
        if unsent.capacity > Self.largestKeptBuffer { unsent = ByteBuffer() } else { unsent.clear(minimumCapacity: 4096) }
    }

    // MARK: Receiving

    func beginReading() { isReading = true }

    func endReading() {
        isReading = false
        turnDeadline = nil
        flush()
    }

    func receive(_ reply: RedisValue) {
        if greeting != nil { return receiveGreeting(reply) }
        guard pending.count > unsentCount, let command = pending.popFirst() else {
            return lost(.protocolViolation, because: "a reply that nobody asked for")
        }
        guard case .error(let error) = reply else { return settle(command, .success(reply)) }
        if error.code == "NOSCRIPT", case .script(let call) = command.waiter {
            // The server has not run it, so this is no second try.
            return resend(call.bySource, call.waiter, deadline: command.deadline)
        }
        if case .routed(let call) = command.waiter {
            if error.code == "NOSCRIPT", let whole = call.bySource { return resend(whole, command.waiter, deadline: command.deadline) }
            if call.goesOn(after: error, of: endpoint) {
                load.waiting.wrappingSubtract(1, ordering: .relaxed)
                return
            }
        }
        settle(command, .failure(RedisError(.server(error), command: command.command)))
        if error.code == "READONLY", case .primary = target { lost(.closed, because: "the server is not the primary any more") }
    }

    private func resend(_ command: RedisCommand, _ waiter: RedisWaiter, deadline: NIODeadline) {
        unsent.write(command)
        append(RedisPending(command: command.name, waiter: waiter, deadline: deadline))
        flushSoon()
    }

    private func settle(_ command: RedisPending, _ result: Result<RedisValue, RedisError>) {
        if let observer { observe(observer, command, result) }
        settle(command.waiter, result)
    }

    private func settle(_ waiter: RedisWaiter, _ result: Result<RedisValue, RedisError>) {
        load.waiting.wrappingSubtract(1, ordering: .relaxed)
        switch result {
        case .success(let value): waiter.succeed(value)
        case .failure(let error): waiter.fail(error)
        }
    }

    private func observe(_ observer: any RedisObserver, _ command: RedisPending, _ result: Result<RedisValue, RedisError>) {
        let started = command.deadline - TimeAmount(configuration.commandTimeout)
        let outcome: String =
            switch result {
            case .success: "ok"
            case .failure(let error): error.outcome
            }
        let nanoseconds = UInt64(max(0, (NIODeadline.now() - started).nanoseconds))
        observer.commandFinished(name: command.command, outcome: outcome, nanoseconds: nanoseconds)
    }

    // MARK: Deadlines

    /// Replies come in order and deadlines grow: the first command is the first to miss its own, and one timer is enough.
    ///
    /// - Parameter resumed: when this event loop was last found to have stood still.
    private func checkDeadlines(at deadline: NIODeadline, resumed: NIODeadline = .distantPast) {
        deadlineCheck = eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(deadline: deadline) {
            self.deadlineCheck = nil
            guard let first = self.pending.first else { return }
            let now = NIODeadline.now()
            if first.deadline > now { return self.checkDeadlines(at: first.deadline) }
            // When this event loop itself stood still, the reply may have come in time and was not read yet.
            let isHeldUp = now - deadline > Self.standstill
            let isFirstTime = first.deadline > resumed
            if isFirstTime ? isHeldUp : now - resumed < (isHeldUp ? Self.patience : Self.settling) {
                return self.checkDeadlines(at: now + Self.standstill, resumed: isFirstTime ? now : resumed)
            }
            if self.state.isReady { return self.lost(.timeout, because: "no reply in time") }
            self.state.outwaited()
            self.failPending(.unavailable)
        }
    }

    /// Fails all commands. With `timeout`, those behind the late one are told that the connection is lost.
    private func failPending(_ code: RedisError.Code) {
        let now = NIODeadline.now()
        let failed = pending
        pending = CircularBuffer(initialCapacity: 64)
        unsent.clear()
        unsentCount = 0
        for command in failed {
            let isLate = code != .timeout || command.deadline <= now
            settle(command, .failure(RedisError(isLate ? code : .closed, command: command.command)))
        }
    }

    // MARK: Opening and closing

    func open() {
        guard state.open() else { return }
        switch target {
        case .server(let endpoint): connect(to: endpoint)
        case .primary(let sentinels):
            sentinels.primary(on: eventLoop).assumeIsolatedUnsafeUnchecked().whenComplete { result in
                guard self.state.isConnecting else { return }
                switch result {
                case .success(let endpoint): self.connect(to: endpoint)
                case .failure(let error): self.lost(because: "\(error)")
                }
            }
        }
    }

    private func connect(to endpoint: RedisConfiguration.Endpoint) {
        self.endpoint = endpoint
        let (maximumReplyBytes, tls) = (configuration.maximumReplyBytes, configuration.tls)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(configuration.connectTimeout))
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(tls.makeHandler(for: endpoint)) }
                    try channel.pipeline.syncOperations.addHandler(RedisChannelHandler(maximumReplyBytes: maximumReplyBytes))
                }
            }
        let channel =
            switch endpoint {
            case .tcp(let host, let port): bootstrap.connect(host: host, port: port)
            case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        channel.assumeIsolatedUnsafeUnchecked().whenComplete { result in
            switch result {
            case .success(let channel): self.greet(channel)
            case .failure(let error):
                self.doubtTarget()
                self.lost(because: RedisTLS.explain(error))
            }
        }
    }

    private func greet(_ channel: any Channel) {
        guard state.isConnecting, channel.isActive,
            let handler = try? channel.pipeline.syncOperations.handler(type: RedisChannelHandler.self)
        else {
            channel.close(promise: nil)
            return lost(because: "the server closed the connection at once")
        }
        self.channel = channel
        self.handler = handler
        handler.attach(self)
        let greeting = RedisGreeting(configuration, of: target)
        self.greeting = greeting
        let overdue = TimeAmount(configuration.connectTimeout)
        let hint = configuration.tls == nil ? "" : "; it may not speak TLS on this port"
        greetingCheck = eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: overdue) {
            self.doubtTarget()
            self.lost(because: "the server does not answer" + hint)
        }
        handler.write(greeting.bytes)
    }

    private func receiveGreeting(_ reply: RedisValue) {
        switch greeting?.receive(reply) {
        case .more, nil: return
        case .refused(let reason):
            doubtTarget()
            lost(because: reason)
        case .accepted:
            greeting = nil
            greetingCheck?.cancel()
            guard state.ready() else { return }
            load.isReady.store(true, ordering: .relaxed)
            presence.gained(at: endpoint)
            flush()
        }
    }

    private func doubtTarget() {
        if case .primary(let sentinels) = target { sentinels.doubt() }
    }

    /// Gives the connection up when it leads anywhere else.
    func leave(unless endpoint: RedisConfiguration.Endpoint) {
        guard state.isReady, self.endpoint != endpoint else { return }
        lost(.closed, because: "the primary is \(endpoint) now")
    }

    /// There is no connection any more, or none yet: whatever waits for it fails, and it is tried again after a pause.
    func lost(_ code: RedisError.Code = .unavailable, because reason: String) {
        let wasReady = state.isReady
        guard let pause = state.lost(random: .random(in: 0...1)) else { return }
        dropChannel()
        if wasReady { presence.lost(reason) } else { presence.failed(reason) }
        reopening = eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: TimeAmount(pause)) { self.open() }
        failPending(wasReady ? code : .unavailable)
    }

    /// Closes for good.
    /// - Returns: when the connection is gone.
    func close() -> EventLoopFuture<Void> {
        if state.isReady { presence.closed() }
        state.close()
        reopening?.cancel()
        deadlineCheck?.cancel()
        let closed = channel?.closeFuture ?? eventLoop.makeSucceededVoidFuture()
        dropChannel()
        failPending(.closed)
        return closed
    }

    private func dropChannel() {
        load.isReady.store(false, ordering: .relaxed)
        greetingCheck?.cancel()
        greeting = nil
        isReading = false
        handler?.detach()
        handler = nil
        channel?.close(promise: nil)
        channel = nil
    }
}
