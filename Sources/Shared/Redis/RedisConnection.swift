import Logging
import NIOCore

/// One open connection: writes commands as they come, flushes once a turn of the loop, and gives each reply to the command that is next
/// in line. Confined to its event loop.
final class RedisConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private struct Waiting {
        let command: String
        let promise: EventLoopPromise<RedisValue>
        let deadline: NIODeadline
    }

    /// Commands written before a flush even though the turn is not over, so that client and server do not work in lock-step.
    private static let flushBatch = 16
    /// How late a missed deadline may be noticed.
    private static let deadlineCheck = TimeAmount.milliseconds(50)

    private let configuration: RedisConfiguration
    private let reader: ReplyReader
    private let onClose: (RedisConnection) -> Void
    private var context: ChannelHandlerContext?
    private var waiting = CircularBuffer<Waiting>()
    private var unsent: ByteBuffer
    private var unsentCommands = 0
    private var isFlushScheduled = false
    private var deadlineChecks: RepeatedTask?

    init(_ configuration: RedisConfiguration, onClose: @escaping (RedisConnection) -> Void) {
        self.configuration = configuration
        self.onClose = onClose
        reader = ReplyReader(maximumReplyBytes: configuration.maximumReplyBytes)
        unsent = ByteBufferAllocator().buffer(capacity: 4096)
    }

    /// Sends a command; fails `promise` at once when the connection is gone or too much waits.
    func send(_ command: RedisCommand, _ promise: EventLoopPromise<RedisValue>, deadline: NIODeadline) {
        guard let context else { return promise.fail(RedisError(.unavailable, command: command.name)) }
        guard waiting.count < configuration.maximumWaitingCommands else {
            return promise.fail(RedisError(.overloaded, command: command.name))
        }
        waiting.append(Waiting(command: command.name, promise: promise, deadline: deadline))
        unsent.write(command)
        unsentCommands += 1
        if unsentCommands >= Self.flushBatch {
            flush(context)
        } else if !isFlushScheduled {
            isFlushScheduled = true
            let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
            context.eventLoop.execute {
                bound.value.isFlushScheduled = false
                if let context = bound.value.context { bound.value.flush(context) }
            }
        }
    }

    func close() { context?.close(promise: nil) }

    private func flush(_ context: ChannelHandlerContext) {
        guard unsentCommands > 0 else { return }
        let bytes = unsent
        unsent = context.channel.allocator.buffer(capacity: min(65_536, max(4096, bytes.readableBytes)))
        unsentCommands = 0
        context.writeAndFlush(NIOAny(bytes), promise: nil)
    }

    // MARK: ChannelInboundHandler

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        deadlineChecks = context.eventLoop.scheduleRepeatedTask(initialDelay: Self.deadlineCheck, delay: Self.deadlineCheck) { _ in
            bound.value.checkDeadline()
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        var isUnsolicited = false
        do {
            try buffer.withUnsafeReadableBytes { bytes in
                try reader.feed(bytes) { value in
                    guard let first = waiting.popFirst() else {
                        isUnsolicited = true
                        return
                    }
                    if case .error(let error) = value {
                        first.promise.fail(RedisError(.server(error), command: first.command))
                    } else {
                        first.promise.succeed(value)
                    }
                }
            }
        } catch {
            return end(.protocolViolation)
        }
        if isUnsolicited { end(.protocolViolation) }
    }

    func channelInactive(context: ChannelHandlerContext) { end(.closed) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { end(.closed) }

    /// Replies come in order and deadlines grow: only the first can be the next to be missed.
    private func checkDeadline() {
        if let first = waiting.first, first.deadline < .now() { end(.timeout) }
    }

    /// Fails all that waits and closes. Which of them ran is unknown, so nothing is tried again.
    private func end(_ code: RedisError.Code) {
        guard let context else { return }
        self.context = nil
        deadlineChecks?.cancel()
        context.close(promise: nil)
        let lost = waiting
        waiting.removeAll()
        onClose(self)
        for one in lost { one.promise.fail(RedisError(code, command: one.command)) }
    }
}
