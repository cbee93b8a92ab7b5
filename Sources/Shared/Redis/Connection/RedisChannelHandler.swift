import NIOCore

/// Turns the bytes of one channel into replies for a ``RedisConnection``.
final class RedisChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let reader: ReplyReader
    private var context: ChannelHandlerContext?
    private var connection: RedisConnection?

    init(maximumReplyBytes: Int) { reader = ReplyReader(maximumReplyBytes: maximumReplyBytes) }

    /// Replies go to `connection` until ``detach()`` or the channel's end, which it is told.
    func attach(_ connection: RedisConnection) { self.connection = connection }

    func detach() { connection = nil }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func write(_ bytes: ByteBuffer) { context?.writeAndFlush(NIOAny(bytes), promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let connection else { return }
        connection.beginReading()
        do {
            try unwrapInboundIn(data).withUnsafeReadableBytes { bytes in
                // Whoever gets a reply may make the connection close, and replies after that are nobody's.
                try reader.feed(bytes) { reply in self.connection?.receive(reply) }
            }
        } catch {
            self.connection?.lost(.protocolViolation, because: "\(error)")
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { connection?.endReading() }

    func channelInactive(context: ChannelHandlerContext) { connection?.lost(.closed, because: "the connection was closed") }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { connection?.lost(.closed, because: RedisTLS.explain(error)) }
}
