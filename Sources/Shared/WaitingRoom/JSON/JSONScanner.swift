/// Why a text is not the strict JSON that this service reads.
package struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    package let reason: String
    /// Where in the text, in bytes from its beginning.
    package let offset: Int

    package var description: String { "\(reason) at byte \(offset)" }
}

/// Reads strict JSON (RFC 8259) in UTF-8: no duplicate keys, no trailing commas, no NUL in strings, no lone surrogates, at most
/// ``maximumDepth`` levels. Foundation's decoder takes all of those, and each has been used to smuggle a value past a check.
package struct JSONScanner {
    package static let maximumDepth = 32

    private let bytes: [UInt8]
    private var position = 0

    /// The value that `bytes` holds, with nothing but white space around it.
    /// - Throws: ``JSONError`` that says what is wrong and where.
    package static func scan(_ bytes: [UInt8]) throws(JSONError) -> JSON {
        var scanner = JSONScanner(bytes: bytes)
        let value = try scanner.value(depth: 1)
        scanner.skipSpace()
        guard scanner.position == bytes.count else { throw scanner.error("unexpected text after the value") }
        return value
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private func error(_ reason: String) -> JSONError { JSONError(reason: reason, offset: position) }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSON {
        guard depth <= Self.maximumDepth else { throw error("more than \(Self.maximumDepth) levels") }
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case nil: throw error("unexpected end")
        default: return try number()
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        for index in 0..<text.utf8CodeUnitCount {
            guard take(text.utf8Start[index]) else { throw error("not a JSON value") }
        }
        return value
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSON {
        position += 1
        var members: [JSON.Member] = []
        var keys: Set<[UInt8]> = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object([]) }
        while true {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw error("expected a key in quotes") }
            let key = try string()
            guard keys.insert([UInt8](key.utf8)).inserted else { throw error("duplicate key") }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw error("expected ':'") }
            members.append(JSON.Member(key, try value(depth: depth + 1)))
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw error("expected ',' or '}'") }
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSON {
        position += 1
        var values: [JSON] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array([]) }
        while true {
            values.append(try value(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(values) }
            guard take(UInt8(ascii: ",")) else { throw error("expected ',' or ']'") }
        }
    }

    private mutating func number() throws(JSONError) -> JSON {
        let start = position
        var isInteger = true
        _ = take(UInt8(ascii: "-"))
        guard let first = current, isDigit(first) else { throw error("not a JSON value") }
        if first == UInt8(ascii: "0") { position += 1 } else { skipDigits() }
        if take(UInt8(ascii: ".")) {
            isInteger = false
            guard let digit = current, isDigit(digit) else { throw error("expected a digit") }
            skipDigits()
        }
        if let exponent = current, exponent == UInt8(ascii: "e") || exponent == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if let sign = current, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
            guard let digit = current, isDigit(digit) else { throw error("expected a digit") }
            skipDigits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let integer = Int64(text) { return .integer(integer) }
        guard let number = Double(text), number.isFinite else { throw error("number out of range") }
        return .number(number)
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private mutating func skipDigits() {
        while let byte = current, isDigit(byte) { position += 1 }
    }

    private mutating func string() throws(JSONError) -> String {
        position += 1
        let start = position
        while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        if current == UInt8(ascii: "\"") {
            defer { position += 1 }
            return try utf8(bytes[start..<position])
        }
        return try escapedString(start: start)
    }

    private mutating func escapedString(start: Int) throws(JSONError) -> String {
        var text = Array(bytes[start..<position])
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return try utf8(text[...])
            case UInt8(ascii: "\\"):
                position += 1
                text.append(contentsOf: try escape())
            case 0..<0x20: throw error("control character in a string")
            default:
                text.append(byte)
                position += 1
            }
        }
        throw error("unterminated string")
    }

    private func utf8(_ slice: ArraySlice<UInt8>) throws(JSONError) -> String {
        guard let text = String(validating: slice, as: UTF8.self) else { throw error("not UTF-8") }
        return text
    }

    private mutating func escape() throws(JSONError) -> [UInt8] {
        guard let byte = current else { throw error("unterminated string") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw error("unknown escape")
        }
    }

    private mutating func unicodeEscape() throws(JSONError) -> [UInt8] {
        var code = try codeUnit()
        if code >= 0xD800, code < 0xDC00 {
            guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw error("lone surrogate") }
            let low = try codeUnit()
            guard low >= 0xDC00, low < 0xE000 else { throw error("lone surrogate") }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard code != 0 else { throw error("NUL in a string") }
        guard let scalar = Unicode.Scalar(code) else { throw error("lone surrogate") }
        return Array(String(Character(scalar)).utf8)
    }

    private mutating func codeUnit() throws(JSONError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw error("bad \\u escape") }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }
}
