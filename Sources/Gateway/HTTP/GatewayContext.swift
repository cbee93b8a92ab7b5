import Hummingbird
import Logging
import NIOCore

/// What a handler knows of the request beside the request itself.
struct GatewayContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The event loop of the visitor's connection; Redis answers there.
    let eventLoop: any EventLoop
    /// The other end of the connection: a visitor, or a proxy.
    let peer: SocketAddress?
    /// Sent back as `X-Request-Id` and written in every log line of the request.
    let requestID: String

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        eventLoop = source.channel.eventLoop
        peer = source.channel.remoteAddress
        requestID = RequestID.next()
        self.logger[metadataKey: "hb.request.id"] = nil
        self.logger[metadataKey: "request_id"] = .string(requestID)
    }
}

enum RequestID {
    /// 16 random hexadecimal digits.
    static func next() -> String {
        let text = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}
