import Foundation
import HTTPTypes
import NIOCore
import Redis
import Synchronization
import WaitingRoom

/// A whole answer of a hot route as bytes, with the headers that ``EnvelopeMiddleware`` gives all others.
enum HotAnswer {
    static func ok(_ body: EntryBody) -> ByteBuffer {
        answer(mostBytes: body.mostBytes) { text in
            text.write(success)
        } body: {
            body.write(into: &$0)
        }
    }

    static func failure(_ failure: GatewayError) -> ByteBuffer {
        let extra = failure.headers.map { "\($0.name.rawName): \($0.value)\r\n" }.joined()
        let head = "HTTP/1.1 \(failure.status.code) \(failure.status.reasonPhrase)\r\n\(fields)\(extra)"
        var body = ByteBuffer()
        body.writeJSON(Dialect.qms.body(failure))
        return answer(mostBytes: head.utf8.count + body.readableBytes) { text in
            text.write(head)
        } body: { text in
            body.withUnsafeReadableBytes { text.write($0) }
        }
    }

    /// The gate's answer to who may go through.
    static func through(_ pass: Pass) -> ByteBuffer {
        let isPlain = pass.visitor.utf8.allSatisfy(Pass.isPlainInHeader)
        // What comes behind the visitor is 123 bytes, rounded up; ByteCursor ends the program beyond.
        let most = 300 + passed.utf8.count + 3 * pass.visitor.utf8.count
        var bytes = ByteBufferAllocator().buffer(capacity: most)
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: most) { memory in
            var text = ByteCursor(memory)
            text.write(passed)
            text.write(isPlain ? pass.visitor : pass.headerVisitor)
            text.write("\r\nX-Entry-Id: " as StaticString)
            text.write(Identifier.textLength, pass.entry.write(to:))
            text.write("\r\nX-Request-Id: " as StaticString)
            text.write(RequestID.length, RequestID.write(to:))
            text.write(HTTPDate.line)
            text.write("\r\n\r\n" as StaticString)
            return text.count
        }
        return bytes
    }

    private static let passed = """
        HTTP/1.1 204 No Content\r\nAccess-Control-Allow-Origin: *\r\nX-Content-Type-Options: nosniff\r\n\
        Access-Control-Expose-Headers: \(AllowedOrigins.exposed)\r\nCache-Control: no-store\r\nX-Visitor-Id:\u{20}
        """

    private static let fields = """
        Content-Type: application/json\r\nAccess-Control-Allow-Origin: *\r\nX-Content-Type-Options: nosniff\r\n\
        Access-Control-Expose-Headers: \(AllowedOrigins.exposed)\r\n
        """
    private static let success = "HTTP/1.1 200 OK\r\n\(fields)"
    /// Room for what is always there: behind the first headers come 95 bytes, rounded up; ByteCursor ends the program beyond.
    private static let headBytes = 200 + success.utf8.count

    private static func answer(
        mostBytes: Int, head: (inout ByteCursor) -> Void, body: (inout ByteCursor) -> Void
    ) -> ByteBuffer {
        var bytes = ByteBufferAllocator().buffer(capacity: headBytes + mostBytes)
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: headBytes + mostBytes) { memory in
            var text = ByteCursor(memory)
            head(&text)
            text.write("X-Request-Id: " as StaticString)
            text.write(RequestID.length, RequestID.write(to:))
            text.write(HTTPDate.line)
            // Room for the digits of its length: blanks before a field's value mean nothing (RFC 9110, section 5.5).
            text.write("\r\nContent-Length:       \r\n\r\n" as StaticString)
            let start = text.count
            body(&text)
            var left = text.count - start
            var position = start - 5
            repeat {
                memory[position] = UInt8(ascii: "0") + UInt8(left % 10)
                left /= 10
                position -= 1
            } while left > 0
            return text.count
        }
        return bytes
    }
}

/// The `Date` header (RFC 9110, section 6.6.1), made once a second.
enum HTTPDate {
    private static let last = Mutex<(second: Int, text: String)>((0, ""))

    /// The header, with the end of the line before it.
    static var line: String {
        let second = Int(Timestamp.now().milliseconds / 1000)
        return last.withLock { last in
            if last.second != second { last = (second, "\r\nDate: " + text(second)) }
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
