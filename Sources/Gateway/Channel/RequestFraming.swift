import HTTPTypes
import NIOCore
import NIOHTTP1
import WaitingRoom

/// Keeps to what HTTP/1.1 says of messages (RFC 9112) where NIO's decoder and Hummingbird are lenient: what two programs read differently
/// is how requests are smuggled. And gives the empty answers to requests that never came to an end the shape of all errors.
final class RequestFraming: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let origins: AllowedOrigins
    /// Of the last request: it decides the dialect of its errors.
    private var address = "/"
    /// Why nothing more is read of this connection.
    private var refusal: GatewayError?

    init(origins: AllowedOrigins) { self.origins = origins }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard refusal == nil else { return }
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        address = head.uri
        if let problem = Self.problem(head) {
            refusal = .malformedRequest(problem)
            return context.fireErrorCaught(HTTPParserError.unknown)
        }
        // Hummingbird knows one spelling of it, and no older version.
        if !head.isKeepAlive { head.headers.replaceOrAdd(name: "Connection", value: "close") }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if refusal == nil, let error = error as? HTTPParserError {
            refusal = error == .headerOverflow ? .headersTooLarge : .malformedRequest("it is not HTTP/1.1 as RFC 9112 has it")
        }
        context.fireErrorCaught(error)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .head(let head) = unwrapOutboundIn(data), head.headers.first(name: "Content-Length") == "0",
            let failure = head.status == .requestTimeout ? .requestTimeout : head.status == .badRequest ? refusal : nil
        else { return context.write(data, promise: promise) }
        let (answer, body) = parts(failure)
        context.write(wrapOutboundOut(.head(answer)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: promise)
    }

    private func parts(_ failure: GatewayError) -> (HTTPResponseHead, ByteBuffer) {
        var body = ByteBuffer()
        body.writeJSON(Dialect(path: String(address.prefix { $0 != "?" })).body(failure))
        var fields: HTTPFields = [
            .contentType: "application/json", .contentLength: String(body.readableBytes), .connection: "close",
            .requestID: RequestID.next(),
            .contentTypeOptions: "nosniff",
        ]
        origins.allow(nil, preflight: false, in: &fields)
        let headers = HTTPHeaders(fields.map { ($0.name.rawName, $0.value) })
        return (HTTPResponseHead(version: .http1_1, status: .init(statusCode: failure.status.code), headers: headers), body)
    }

    /// What is wrong with a request's head, in words; `nil` for nothing.
    private static func problem(_ head: HTTPRequestHead) -> String? {
        var hosts = 0
        var isEncoded = false
        for (name, _) in head.headers {
            if name.isField("host") { hosts += 1 }
            if name.isField("transfer-encoding") { isEncoded = true }
        }
        // RFC 9112, section 3.2.
        if hosts > 1 || (hosts == 0 && head.version == .http1_1) { return "send exactly one Host header" }
        // RFC 9112, section 6.1.
        if isEncoded, head.version != .http1_1 { return "HTTP/1.0 has no Transfer-Encoding" }
        return nil
    }
}

extension String {
    /// Whether this is the name of the header field `lowercase`.
    fileprivate func isField(_ lowercase: StaticString) -> Bool {
        guard utf8.count == lowercase.utf8CodeUnitCount else { return false }
        var index = 0
        for byte in utf8 {
            if byte | 0x20 != lowercase.utf8Start[index] { return false }
            index += 1
        }
        return true
    }
}

extension GatewayError {
    fileprivate static func malformedRequest(_ problem: String) -> GatewayError {
        GatewayError(status: .badRequest, code: "malformed_request", message: "The request cannot be read: \(problem)")
    }

    fileprivate static let headersTooLarge = GatewayError(
        status: .requestHeaderFieldsTooLarge, code: "headers_too_large",
        message: "The address and the headers are too large: send at most 16 KiB in each, 32 KiB and 100 headers in all")

    fileprivate static let requestTimeout = GatewayError(
        status: .requestTimeout, code: "request_timeout", message: "The request did not come to its end in time; send it again")
}
