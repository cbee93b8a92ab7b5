import NIOCore

extension ByteBuffer {
    /// Appends `command` as a RESP array of bulk strings.
    mutating func write(_ command: RedisCommand) {
        var bound = RESPWriter.mostHeaderBytes + RESPWriter.bound(command.name)
        for argument in command.arguments { bound += RESPWriter.bound(argument) }
        writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { target in
            guard let start = target.baseAddress else { return 0 }
            var writer = RESPWriter(cursor: start)
            writer.writeHeader("*", command.arguments.count + 1)
            writer.writeBulk(command.name)
            for argument in command.arguments { writer.writeBulk(argument) }
            return start.distance(to: writer.cursor)
        }
    }
}

/// Writes RESP to memory that is known to be large enough: one check for a whole command.
private struct RESPWriter {
    /// A kind, a number of up to 20 characters and a line end.
    static let mostHeaderBytes = 23

    var cursor: UnsafeMutableRawPointer

    /// The most bytes that `writeBulk` needs.
    static func bound(_ text: String) -> Int { mostHeaderBytes + text.utf8.count + 2 }

    static func bound(_ argument: RedisArgument) -> Int {
        switch argument {
        case .string(let text): bound(text)
        case .integer: mostHeaderBytes + 22
        case .bytes(let bytes): mostHeaderBytes + bytes.count + 2
        }
    }

    mutating func writeHeader(_ kind: Unicode.Scalar, _ count: Int) {
        write(UInt8(ascii: kind))
        writeDigits(UInt64(count))
        writeLineEnd()
    }

    mutating func writeBulk(_ argument: RedisArgument) {
        switch argument {
        case .string(let text): writeBulk(text)
        case .integer(let value): writeBulk(value)
        case .bytes(let bytes):
            writeHeader("$", bytes.count)
            bytes.withUnsafeBytes { copy($0) }
            writeLineEnd()
        }
    }

    mutating func writeBulk(_ text: String) {
        writeHeader("$", text.utf8.count)
        var text = text
        text.withUTF8 { copy(UnsafeRawBufferPointer($0)) }
        writeLineEnd()
    }

    private mutating func writeBulk(_ value: Int64) {
        writeHeader("$", Self.digits(value.magnitude) + (value < 0 ? 1 : 0))
        if value < 0 { write(UInt8(ascii: "-")) }
        writeDigits(value.magnitude)
        writeLineEnd()
    }

    private static func digits(_ number: UInt64) -> Int {
        var count = 1
        var rest = number
        while rest > 9 {
            rest /= 10
            count += 1
        }
        return count
    }

    private mutating func writeDigits(_ number: UInt64) {
        let count = Self.digits(number)
        var rest = number
        for offset in stride(from: count - 1, through: 0, by: -1) {
            cursor.storeBytes(of: UInt8(ascii: "0") + UInt8(rest % 10), toByteOffset: offset, as: UInt8.self)
            rest /= 10
        }
        cursor += count
    }

    private mutating func writeLineEnd() {
        write(UInt8(ascii: "\r"))
        write(UInt8(ascii: "\n"))
    }

    private mutating func write(_ byte: UInt8) {
        cursor.storeBytes(of: byte, as: UInt8.self)
        cursor += 1
    }

    private mutating func copy(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        cursor.copyMemory(from: start, byteCount: bytes.count)
        cursor += bytes.count
    }
}
