import Crypto
import NIOCore

/// One argument of a command.
package enum RedisArgument: Sendable, Equatable, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral {
    case string(String)
    case integer(Int64)
    case bytes([UInt8])

    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
}

/// A command and its arguments.
package struct RedisCommand: Sendable {
    package let name: String
    package let arguments: [RedisArgument]

    package init(_ name: String, _ arguments: RedisArgument...) { self.init(name, arguments: arguments) }

    package init(_ name: String, arguments: [RedisArgument]) {
        self.name = name
        self.arguments = arguments
    }
}

/// A Lua script, run by the SHA-1 of its text and sent whole only when the server does not know it.
package struct RedisScript: Sendable {
    package let name: String
    package let source: String
    package let sha1: String
    package let keyCount: Int

    package init(name: String, source: String, keyCount: Int) {
        self.name = name
        self.source = source
        self.keyCount = keyCount
        sha1 = Insecure.SHA1.hash(data: Array(source.utf8)).map { byte in
            let text = String(byte, radix: 16)
            return byte < 16 ? "0" + text : text
        }.joined()
    }

    func command(_ name: String, _ script: String, keys: [String], arguments: [RedisArgument]) -> RedisCommand {
        precondition(keys.count == keyCount, "\(self.name) takes \(keyCount) keys")
        var all: [RedisArgument] = []
        all.reserveCapacity(2 + keys.count + arguments.count)
        all.append(.string(script))
        all.append(.integer(Int64(keys.count)))
        for key in keys { all.append(.string(key)) }
        all.append(contentsOf: arguments)
        return RedisCommand(name, arguments: all)
    }
}

extension ByteBuffer {
    /// Appends `command` as a RESP array of bulk strings.
    mutating func write(_ command: RedisCommand) {
        writeHeader("*", command.arguments.count + 1)
        writeBulk(command.name)
        for argument in command.arguments {
            switch argument {
            case .string(let text): writeBulk(text)
            case .integer(let value): writeBulk(String(value))
            case .bytes(let bytes):
                writeHeader("$", bytes.count)
                writeBytes(bytes)
                writeStaticString("\r\n")
            }
        }
    }

    private mutating func writeBulk(_ text: String) {
        writeHeader("$", text.utf8.count)
        writeString(text)
        writeStaticString("\r\n")
    }

    private mutating func writeHeader(_ kind: Unicode.Scalar, _ count: Int) {
        writeInteger(UInt8(truncatingIfNeeded: kind.value))
        if count < 10 {
            writeInteger(UInt8(ascii: "0") + UInt8(count))
        } else {
            writeString(String(count))
        }
        writeStaticString("\r\n")
    }
}
