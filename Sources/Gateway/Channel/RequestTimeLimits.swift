import NIOCore
import NIOHTTP1

/// Closes connections that hold a socket and give nothing: no request for too long, or a body that does not come to its end.
final class RequestTimeLimits: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    struct Limits: Sendable {
        /// From the connection's beginning to the end of the first request's headers.
        let firstHeaders: TimeAmount
        /// From one request to the end of the next one's headers.
        let idle: TimeAmount
        /// From a request's headers to the end of its body.
        let body: TimeAmount
        /// How often a connection is looked at: a limit is kept to within this.
        let check: TimeAmount

        static let standard = Limits(firstHeaders: .seconds(15), idle: .seconds(75), body: .seconds(15), check: .seconds(3))
    }

    private let limits: Limits
    private var deadline: NIODeadline
    private var checks: RepeatedTask?
    private(set) var answersDue = 0
    private(set) var isReadingBody = false
    /// Called each time that the connection is looked at.
    var onLook: () -> Void = {}

    init(limits: Limits) {
        self.limits = limits
        deadline = .now() + limits.firstHeaders
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        checks = context.eventLoop.scheduleRepeatedTask(initialDelay: limits.check, delay: limits.check) { _ in
            let (handler, context) = bound.value
            handler.check(context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { checks?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        checks?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            isReadingBody = true
            answersDue += 1
            deadline = .now() + limits.body
        case .body: break
        case .end:
            isReadingBody = false
            deadline = .now() + limits.idle
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { answered() }
        context.write(data, promise: promise)
    }

    /// A request has come that does not pass here.
    func asked() { answersDue += 1 }

    /// An answer was written, through here or around.
    func answered() {
        answersDue -= 1
        if !isReadingBody { deadline = .now() + limits.idle }
    }

    private func check(_ context: ChannelHandlerContext) {
        onLook()
        guard NIODeadline.now() >= deadline else { return }
        if isReadingBody {
            let headers: HTTPHeaders = ["Connection": "close", "Content-Length": "0"]
            context.write(
                wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .requestTimeout, headers: headers))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            context.close(promise: nil)
        } else if answersDue <= 0 {
            context.close(promise: nil)
        }
    }
}
