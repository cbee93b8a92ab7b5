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
