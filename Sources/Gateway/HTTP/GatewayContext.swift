import Hummingbird
import Logging
import NIOCore

/// What a handler knows of the request beside the request itself.
struct GatewayContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The event loop of the visitor's connection; Redis answers there.
    let eventLoop: any EventLoop
    let channel: any Channel
    /// The other end of the connection: a visitor, or a proxy.
    let peer: SocketAddress?
    /// Sent back as `X-Request-Id` and written in every log line of the request.
    let requestID: String

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        eventLoop = source.channel.eventLoop
        channel = source.channel
        peer = source.channel.remoteAddress
        requestID = RequestID.next()
        self.logger[metadataKey: "hb.request.id"] = nil
        self.logger[metadataKey: "request_id"] = .string(requestID)
    }
}
