import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOPosix
import WaitingRoom

/// Takes a connection over from Hummingbird when a request is answered with a stream. From then on events are written to it directly, with
/// no task to wake and no buffer between, and nothing else is answered on it.
///
/// The answer has no length and no chunks: it ends with the connection, which every client and proxy understands, those of HTTP/1.0 too.
final class StreamChannel: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart

    /// How long the last words of a stream may take to be sent.
    private static let patience = TimeAmount.seconds(3)

    private let streams: StatusStreams
    /// Below it go finished bytes.
    private let encoder: ChannelHandlerContext
    private var context: ChannelHandlerContext?
    /// What the answer that is about to be written opens.
    private var opening: StreamOpening?
    private var stream: StatusStream?
    /// Requests that were not answered to their end.
    private var unanswered = 0
    /// Whether a stream was begun here, be it ended by now.
    private var isTaken = false

    init(streams: StatusStreams, encoder: ChannelHandlerContext) {
        self.streams = streams
        self.encoder = encoder
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    // MARK: Taking over

    /// A handler says beforehand that it answers with a stream.
    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard let opening = event as? StreamOpening else { return context.triggerUserOutboundEvent(event, promise: promise) }
        self.opening = opening
        promise?.succeed()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if isTaken {
            promise?.succeed()
        } else if let opening, case .head(let head) = unwrapOutboundIn(data) {
            self.opening = nil
            begin(opening, head, context)
            promise?.succeed()
        } else {
            if case .end = unwrapOutboundIn(data) { unanswered -= 1 }
            context.write(data, promise: promise)
        }
    }

    private func begin(_ opening: StreamOpening, _ head: HTTPResponseHead, _ context: ChannelHandlerContext) {
        isTaken = true
        var bytes = ByteBufferAllocator().buffer(capacity: 1024)
        bytes.writeString("HTTP/1.1 \(head.status.code) \(head.status.reasonPhrase)\r\n")
        for (name, value) in head.headers where name.lowercased() != "content-length" { bytes.writeString("\(name): \(value)\r\n") }
        bytes.writeStaticString("Connection: close\r\n\r\n")
        encoder.write(NIOAny(IOData.byteBuffer(bytes)), promise: nil)
        limitPatience(context)
        stream = streams.begin(opening, on: self, context.eventLoop)
        if unanswered > 1 { stream?.end() }
        // Hummingbird reads no further; who goes must be seen to go.
        context.read()
    }

    /// Lets the system close the connection of a client that acknowledges nothing, and keep little for one that does not read.
    private func limitPatience(_ context: ChannelHandlerContext) {
        guard let options = context.channel.syncOptions else { return }
        let userTimeout = ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: TCP_USER_TIMEOUT))
        try? options.setOption(userTimeout, value: 45_000)
        try? options.setOption(ChannelOptions.socketOption(.so_sndbuf), value: 64 * 1024)
    }

    /// Hummingbird has answered, and would close what the client asked to be closed.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode == .output, stream != nil { promise?.succeed() } else { context.close(mode: mode, promise: promise) }
    }

    // MARK: The stream

    var isWritable: Bool { context?.channel.isWritable ?? false }

    func write(_ event: ByteBuffer) {
        encoder.write(NIOAny(IOData.byteBuffer(event)), promise: nil)
        encoder.flush()
    }

    /// Closes the connection once all that was written is sent.
    func close() {
        stream = nil
        guard let context else { return }
        let sent = context.eventLoop.makePromise(of: Void.self)
        encoder.writeAndFlush(NIOAny(IOData.byteBuffer(ByteBuffer())), promise: sent)
        let end = context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: Self.patience) { context.close(promise: nil) }
        sent.futureResult.assumeIsolatedUnsafeUnchecked().whenComplete { _ in
            end.cancel()
            context.close(promise: nil)
        }
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head = unwrapInboundIn(data) {
            unanswered += 1
            // Nothing more is answered here: a client that asks for more does not expect a stream.
            stream?.end()
        }
        if !isTaken { context.fireChannelRead(data) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if isTaken { context.read() }
        context.fireChannelReadComplete()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let stream {
            if event is ChannelShouldQuiesceEvent { return stream.leave() }
            if case ChannelEvent.inputClosed? = event as? ChannelEvent { stream.end() }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        stream?.end()
        context.fireErrorCaught(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        stream?.closed()
        stream = nil
        self.context = nil
        context.fireChannelInactive()
    }
}
