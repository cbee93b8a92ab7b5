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

enum RequestID {
    static let length = 16

    /// 16 hexadecimal digits, different each time.
    static func next() -> String {
        String(unsafeUninitializedCapacity: length) { buffer in
            write(to: UnsafeMutableRawBufferPointer(buffer))
            return length
        }
    }

    /// Writes the digits into the first ``length`` bytes of `buffer`.
    static func write(to buffer: UnsafeMutableRawBufferPointer) {
        var number = Jitter().next()
        for index in 0..<length {
            let digit = UInt8(truncatingIfNeeded: number & 0xF)
            buffer[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            number >>= 4
        }
    }
}
