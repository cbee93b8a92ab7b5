/// What a server says of itself (Redis manual, INFO).
package struct RedisInfo: Sendable {
    private let facts: [Substring: Substring]

    package init(_ text: String) {
        var facts: [Substring: Substring] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { facts[parts[0]] = parts[1] }
        }
        self.facts = facts
    }

    /// `nil` when the server does not say so.
    package subscript(name: Substring) -> String? { facts[name].map(String.init) }

    /// 0 when the server does not say so.
    package func number(_ name: Substring) -> Int64 { facts[name].flatMap { Int64($0) } ?? 0 }
}
