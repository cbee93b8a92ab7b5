import NIOCore
import Synchronization

/// The way to the connection of one event loop, from any thread.
///
/// A command from another thread is written into a mailbox there and then; the first one wakes the loop, which takes the whole mailbox:
/// many callers cost one wake-up and one flush.
final class RedisLink: Sendable {
    let eventLoop: any EventLoop
    private let connection: NIOLoopBoundBox<RedisConnection>
    private let mailbox = Mutex(RedisMailbox())
    private let load: RedisLoad
    private let maximumWaitingCommands: Int

    init(
        _ configuration: RedisConfiguration, target: RedisTarget, eventLoop: any EventLoop, presence: RedisPresence,
        observer: (any RedisObserver)?
    ) {
        let load = RedisLoad()
        self.eventLoop = eventLoop
        self.load = load
        maximumWaitingCommands = configuration.maximumWaitingCommands
        connection = .makeBoxSendingValue(
            RedisConnection(
                configuration, target: target, eventLoop: eventLoop, load: load, presence: presence, observer: observer),
            eventLoop: eventLoop)
    }

    var isReady: Bool { load.isReady.load(ordering: .relaxed) }

    func open() { eventLoop.execute { self.connection.value.open() } }

    func leave(unless endpoint: RedisConfiguration.Endpoint) {
        eventLoop.execute { self.connection.value.leave(unless: endpoint) }
    }

    /// Closes for good, and returns once the connection is gone.
    func close() async {
        // The future cannot fail: it tells only when.
        try? await eventLoop.flatSubmit { self.connection.value.close() }.get()
    }

    func send(_ command: RedisCommand, _ waiter: RedisWaiter) {
        guard admit(1) else { return waiter.fail(RedisError(.overloaded, command: command.name)) }
        if eventLoop.inEventLoop { return connection.value.send(command, waiter) }
        let isFirst = mailbox.withLock { $0.put(command, waiter) }
        if isFirst { eventLoop.execute { self.empty() } }
    }

    func send(_ commands: [RedisCommand], _ replies: RedisReplies) {
        guard admit(commands.count) else {
            for command in commands { replies.add(.failure(RedisError(.overloaded, command: command.name))) }
            return
        }
        let isFirst = mailbox.withLock { mailbox in
            commands.map { mailbox.put($0, .part(replies)) }[0]
        }
        if isFirst { eventLoop.execute { self.empty() } }
    }

    /// Sends a command to the server that is taking its slot over (Redis manual, ASKING): right behind the word that lets it in.
    func sendAsking(_ command: RedisCommand, _ waiter: RedisWaiter) {
        guard admit(2) else { return waiter.fail(RedisError(.overloaded, command: command.name)) }
        let asking = RedisCommand("ASKING")
        if eventLoop.inEventLoop {
            connection.value.send(asking, .nobody)
            return connection.value.send(command, waiter)
        }
        let isFirst = mailbox.withLock { mailbox in
            let isFirst = mailbox.put(asking, .nobody)
            _ = mailbox.put(command, waiter)
            return isFirst
        }
        if isFirst { eventLoop.execute { self.empty() } }
    }

    private func empty() {
        let connection = connection.value
        connection.send { spare in mailbox.withLock { $0.take(spare) } }
    }

    /// Counts commands in, unless too many wait already.
    private func admit(_ count: Int) -> Bool {
        if load.waiting.wrappingAdd(count, ordering: .relaxed).newValue <= maximumWaitingCommands { return true }
        load.waiting.wrappingSubtract(count, ordering: .relaxed)
        return false
    }
}

/// What all threads may know of a connection.
final class RedisLoad: Sendable {
    /// Commands that have been taken on and have no reply yet.
    let waiting = Atomic<Int>(0)
    let isReady = Atomic<Bool>(false)
}

/// Commands from other threads, as bytes, until the event loop takes them.
struct RedisMailbox {
    private var bytes = ByteBuffer()
    private var commands: [RedisPending] = []

    /// - Returns: whether the mailbox was empty, so that the loop must be told.
    mutating func put(_ command: RedisCommand, _ waiter: RedisWaiter) -> Bool {
        bytes.write(command)
        commands.append(RedisPending(command: command.name, waiter: waiter, deadline: .distantFuture))
        return commands.count == 1
    }

    /// Takes all there is and leaves `spare` to write to.
    mutating func take(_ spare: ByteBuffer) -> (ByteBuffer, [RedisPending]) {
        defer {
            bytes = spare
            commands = []
        }
        return (bytes, commands)
    }
}
