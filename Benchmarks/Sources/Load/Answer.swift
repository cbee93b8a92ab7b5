package import NIOCore

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What came of a request.
package struct Answer {
    /// HTTP's code; 0 when there was no whole answer.
    package var status = 0
    package var body = ByteBuffer()
    package var retryAfterSeconds: Int?

    /// The whole number of `"name":` in a JSON object that is known to have it at most once. Much cheaper than reading all of it.
    package func integer(_ name: StaticString) -> Int? {
        guard var index = valueIndex(name) else { return nil }
        let bytes = body.readableBytesView
        var digits = 0
        var value = 0
        let isNegative = bytes[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        while index < bytes.endIndex, case 48...57 = bytes[index] {
            value = value &* 10 &+ Int(bytes[index] - 48)
            digits += 1
            index += 1
        }
        guard digits > 0 else { return nil }
        return isNegative ? -value : value
    }

    /// The text of `"name":` that is known to hold nothing escaped.
    package func string(_ name: StaticString) -> String? {
        guard let index = valueIndex(name) else { return nil }
        let bytes = body.readableBytesView
        guard bytes[index] == UInt8(ascii: "\""), let end = bytes[(index + 1)...].firstIndex(of: UInt8(ascii: "\"")) else { return nil }
        return String(decoding: bytes[(index + 1)..<end], as: UTF8.self)
    }

    /// Where the value of `"name":` begins.
    private func valueIndex(_ name: StaticString) -> Int? {
        body.withUnsafeReadableBytes { bytes in
            let length = name.utf8CodeUnitCount
            for start in 0..<max(0, bytes.count - length - 3) where bytes[start] == UInt8(ascii: "\"") {
                let end = start + 1 + length
                guard bytes[end] == UInt8(ascii: "\""), bytes[end + 1] == UInt8(ascii: ":"),
                    memcmp(bytes.baseAddress! + start + 1, name.utf8Start, length) == 0
                else { continue }
                return body.readerIndex + end + 2
            }
            return nil
        }
    }
}
