package import NIOCore

/// A JSON value whose objects keep the order of their keys: the contract promises that order on the wire.
package enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    /// Written with a decimal always: `12.0`. Reading gives ``number(_:)``.
    case decimal(Double)
    case string(String)
    case array([JSON])
    case object([Member])

    /// One key of an object and its value.
    package struct Member: Sendable, Equatable {
        package let key: String
        package let value: JSON

        package init(_ key: String, _ value: JSON) {
            self.key = key
            self.value = value
        }
    }

    /// The value of `key` in an object; `nil` when this is no object or has no such key. Keys are compared byte by byte.
    package subscript(key: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
    }

    package var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    package var array: [JSON]? {
        if case .array(let values) = self { values } else { nil }
    }

    package static func optional(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }

    package static func integer(_ value: Int) -> JSON { .integer(Int64(value)) }
}

extension JSON: ExpressibleByDictionaryLiteral, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByNilLiteral
{
    package init(dictionaryLiteral elements: (String, JSON)...) { self = .object(elements.map { Member($0.0, $0.1) }) }
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(nilLiteral: ()) { self = .null }
}

extension JSON {
    /// This value as UTF-8 text.
    package var text: String {
        var buffer = ByteBuffer()
        buffer.writeJSON(self)
        return String(buffer: buffer)
    }
}

extension ByteBuffer {
    /// Appends `value` as compact JSON. A number without a fraction is written as an integer; NaN and infinities as null, which JSON
    /// has no other word for.
    package mutating func writeJSON(_ value: JSON) {
        switch value {
        case .null: writeStaticString("null")
        case .bool(let flag): writeStaticString(flag ? "true" : "false")
        case .integer(let number): writeString(String(number))
        case .number(let number):
            if number == number.rounded(), abs(number) < 1e15 {
                writeString(String(Int64(number)))
            } else {
                writeString(number.isFinite ? "\(number)" : "null")
            }
        case .decimal(let number): writeString(number.isFinite ? "\(number)" : "null")
        case .string(let text): writeJSONString(text)
        case .array(let values):
            writeInteger(UInt8(ascii: "["))
            for (index, element) in values.enumerated() {
                if index > 0 { writeInteger(UInt8(ascii: ",")) }
                writeJSON(element)
            }
            writeInteger(UInt8(ascii: "]"))
        case .object(let members):
            writeInteger(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { writeInteger(UInt8(ascii: ",")) }
                writeJSONString(member.key)
                writeInteger(UInt8(ascii: ":"))
                writeJSON(member.value)
            }
            writeInteger(UInt8(ascii: "}"))
        }
    }

    /// Appends `text` as a JSON string, quotes included (RFC 8259, section 7).
    package mutating func writeJSONString(_ text: String) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: ByteCursor.mostBytes(ofJSONString: text)) { memory in
            var cursor = ByteCursor(memory)
            cursor.writeJSONString(text)
            return cursor.count
        }
    }
}
