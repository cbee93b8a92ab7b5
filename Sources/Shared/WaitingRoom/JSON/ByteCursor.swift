/// Writes text into memory that its user has made large enough: a check and a copy for each piece, where a `ByteBuffer` does ten times
/// that. Where it is not large enough the program ends, in a release too, before anything is written beyond it.
package struct ByteCursor {
    private let memory: UnsafeMutableRawBufferPointer
    /// How many bytes were written.
    package private(set) var count = 0

    package init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

    /// The most bytes that ``writeJSONString(_:)`` writes.
    package static func mostBytes(ofJSONString text: String) -> Int { 6 * text.utf8.count + 2 }

    /// Has `body` write into the next `length` bytes.
    package mutating func write(_ length: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
        precondition(length <= memory.count - count)
        body(UnsafeMutableRawBufferPointer(rebasing: memory[count..<count + length]))
        count += length
    }

    package mutating func write(_ bytes: UnsafeRawBufferPointer) {
        write(bytes.count) { $0.copyMemory(from: bytes) }
    }

    package mutating func write(_ text: StaticString) {
        write(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    package mutating func write(_ text: String) {
        let isWritten: Void? = text.utf8.withContiguousStorageIfAvailable { write(UnsafeRawBufferPointer($0)) }
        if isWritten == nil { for byte in text.utf8 { write(byte) } }
    }

    package mutating func write(_ byte: UInt8) {
        precondition(count < memory.count)
        memory[count] = byte
        count += 1
    }

    /// Writes `text` as a JSON string, quotes included (RFC 8259, section 7).
    package mutating func writeJSONString(_ text: String) {
        write(UInt8(ascii: "\""))
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            write(text)
        } else {
            for byte in text.utf8 { writeEscaped(byte) }
        }
        write(UInt8(ascii: "\""))
    }

    private mutating func writeEscaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): write("\\\"" as StaticString)
        case UInt8(ascii: "\\"): write("\\\\" as StaticString)
        case 0x0A: write("\\n" as StaticString)
        case 0x0D: write("\\r" as StaticString)
        case 0x09: write("\\t" as StaticString)
        case 0..<0x20:
            write("\\u00" as StaticString)
            write(Self.digit(byte >> 4))
            write(Self.digit(byte & 15))
        default: write(byte)
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10 }

    /// Writes a whole number that is not negative.
    package mutating func write(_ number: Int) {
        var digits = 1
        var rest = number / 10
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        write(digits) { bytes in
            var rest = number
            for index in (0..<digits).reversed() {
                bytes[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
        }
    }

    /// Writes a UUID in quotes.
    package mutating func write(_ id: Identifier) {
        write(UInt8(ascii: "\""))
        write(Identifier.textLength, id.write(to:))
        write(UInt8(ascii: "\""))
    }

    /// Writes a time in quotes.
    package mutating func write(_ time: Timestamp) {
        write(UInt8(ascii: "\""))
        precondition(Timestamp.mostTextLength <= memory.count - count)
        count += time.write(to: UnsafeMutableRawBufferPointer(rebasing: memory[count...]))
        write(UInt8(ascii: "\""))
    }
}
