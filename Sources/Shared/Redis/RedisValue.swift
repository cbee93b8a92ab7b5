/// One RESP2 value (Redis manual, "Redis serialization protocol specification").
package enum RedisValue: Sendable, Equatable {
    case null
    case integer(Int64)
    case status(String)
    case bulk([UInt8])
    case array([RedisValue])
    /// An error inside an array; one that is the whole reply fails the command instead.
    case error(RedisServerError)

    /// The number of an integer, or of a text that is a decimal integer.
    package var integer: Int64? {
        switch self {
        case .integer(let value): value
        default: string.flatMap { Int64($0) }
        }
    }

    /// The text of a bulk or status reply; `nil` when it is not UTF-8.
    package var string: String? {
        switch self {
        case .status(let text): text
        case .bulk(let bytes): String(validating: bytes, as: UTF8.self)
        default: nil
        }
    }

    package var bytes: [UInt8]? {
        if case .bulk(let bytes) = self { bytes } else { nil }
    }

    package var array: [RedisValue]? {
        if case .array(let values) = self { values } else { nil }
    }

    /// The fields of a hash or of a stream's entry, texts that alternate with their names; `nil` when there are none.
    package var fields: [String: String]? {
        guard let values = array, !values.isEmpty else { return nil }
        var fields: [String: String] = [:]
        for index in stride(from: 0, to: values.count - 1, by: 2) {
            if let key = values[index].string, let value = values[index + 1].string { fields[key] = value }
        }
        return fields
    }
}

/// An error that the server answered, such as `OOM command not allowed when used memory > 'maxmemory'.`
package struct RedisServerError: Error, Sendable, Equatable {
    /// The first word: `ERR`, `OOM`, `NOSCRIPT`, `WRONGTYPE`, …
    package let code: String
    package let message: String

    init(_ text: String) {
        // By scalar: some marks make one character of themselves and the blank.
        let parts = text.unicodeScalars.split(separator: " ", maxSplits: 1)
        code = parts.first.map(String.init) ?? "ERR"
        message = parts.count > 1 ? String(parts[1]) : ""
    }
}
