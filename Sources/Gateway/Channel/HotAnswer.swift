import Foundation
import HTTPTypes
import NIOCore
import Redis
import Synchronization
import WaitingRoom

/// A whole answer of a hot route as bytes, with the headers that ``EnvelopeMiddleware`` gives all others.
enum HotAnswer {
    static func ok(_ body: EntryBody) -> ByteBuffer {
        var json = ByteBufferAllocator().buffer(capacity: 768)
        body.write(into: &json)
        return answer(status: .ok, extra: "", body: json)
    }

    static func failure(_ failure: GatewayError) -> ByteBuffer {
        var json = ByteBuffer()
        json.writeJSON(Dialect.qms.body(failure))
        return answer(status: failure.status, extra: failure.headers.map { "\($0.name.rawName): \($0.value)\r\n" }.joined(), body: json)
    }

    private static func answer(status: HTTPResponse.Status, extra: String, body: ByteBuffer) -> ByteBuffer {
        var bytes = ByteBufferAllocator().buffer(capacity: 384 + body.readableBytes)
        if status == .ok {
            bytes.writeStaticString("HTTP/1.1 200 OK\r\n")
        } else {
            bytes.writeString("HTTP/1.1 \(status.code) \(status.reasonPhrase)\r\n")
        }
        bytes.writeStaticString("Content-Type: application/json\r\nAccess-Control-Allow-Origin: *\r\nX-Content-Type-Options: nosniff\r\n")
        bytes.writeString(exposed)
        bytes.writeString(extra)
        bytes.writeStaticString("X-Request-Id: ")
        bytes.writeString(RequestID.next())
        bytes.writeStaticString("\r\nDate: ")
        bytes.writeString(HTTPDate.now())
        bytes.writeStaticString("\r\nContent-Length: ")
        bytes.writeString(String(body.readableBytes))
        bytes.writeStaticString("\r\n\r\n")
        bytes.writeImmutableBuffer(body)
        return bytes
    }

    private static let exposed = "Access-Control-Expose-Headers: \(AllowedOrigins.exposed)\r\n"
}

/// The `Date` header (RFC 9110, section 6.6.1), made once a second.
enum HTTPDate {
    private static let last = Mutex<(second: Int, text: String)>((0, ""))

    static func now() -> String {
        let second = Int(Timestamp.now().milliseconds / 1000)
        return last.withLock { last in
            if last.second != second { last = (second, text(second)) }
            return last.text
        }
    }

    private static func text(_ second: Int) -> String {
        var time = time_t(second)
        var parts = tm()
        gmtime_r(&time, &parts)
        var buffer = [CChar](repeating: 0, count: 32)
        strftime(&buffer, buffer.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
