/// The parts of a Redis URL. Foundation's parsers take one host only, and read more into hosts than is there.
struct RedisURL {
    let scheme: String
    let user: String?
    let password: String?
    /// What is between commas, ports included.
    let hosts: [String]
    /// Without its leading slash.
    let path: String
    let query: String?

    init(_ url: String) throws(RedisConfigurationError) {
        let halves = url.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, halves[1].hasPrefix("//") else { throw RedisConfigurationError("it is not a URL") }
        scheme = String(halves[0])
        let beforeQuery = halves[1].dropFirst(2).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        query = beforeQuery.count > 1 ? String(beforeQuery[1]) : nil
        let parts = beforeQuery[0].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        path = parts.count > 1 ? try Self.decoded(parts[1]) : ""
        guard let at = parts[0].lastIndex(of: "@") else {
            (user, password) = (nil, nil)
            hosts = Self.list(parts[0])
            return
        }
        let secrets = parts[0][..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard secrets.count == 2, !secrets[1].isEmpty else { throw RedisConfigurationError("there is a user but no password") }
        user = secrets[0].isEmpty ? nil : try Self.decoded(secrets[0])
        password = try Self.decoded(secrets[1])
        hosts = Self.list(parts[0][parts[0].index(after: at)...])
    }

    private static func list(_ hosts: Substring) -> [String] {
        hosts.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    private static func decoded(_ text: Substring) throws(RedisConfigurationError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            if byte != UInt8(ascii: "%") {
                bytes.append(byte)
            } else if let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), rest.count >= 2 {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                throw RedisConfigurationError("a % is not followed by two hexadecimal digits")
            }
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else { throw RedisConfigurationError("it is not UTF-8") }
        return decoded
    }

    /// `host`, `host:port`, `[address]` or `[address]:port`.
    static func endpoint(_ text: String, port: Int) throws(RedisConfigurationError) -> RedisConfiguration.Endpoint {
        var host = text[...]
        var digits: Substring?
        if text.hasPrefix("["), let end = text.lastIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { throw RedisConfigurationError("the port is not a number") }
            digits = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            digits = text[text.index(after: colon)...]
        }
        guard !host.isEmpty else { throw RedisConfigurationError("there is no host") }
        guard let digits else { return .tcp(host: String(host), port: port) }
        guard let port = number(digits), (1...65_535).contains(port) else {
            throw RedisConfigurationError("the port is not a number from 1 to 65535")
        }
        return .tcp(host: String(host), port: port)
    }

    static func database(_ text: String) throws(RedisConfigurationError) -> Int {
        if text.isEmpty { return 0 }
        guard let number = number(text[...]) else { throw RedisConfigurationError("the database is not a number") }
        return number
    }

    private static func number(_ text: Substring) -> Int? {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return Int(text)
    }

    func databaseInQuery() throws(RedisConfigurationError) -> String {
        guard let query else { return "" }
        guard query.hasPrefix("db=") else { throw RedisConfigurationError("db is the only parameter") }
        return String(query.dropFirst(3))
    }

    func requireNoQuery() throws(RedisConfigurationError) {
        if query != nil { throw RedisConfigurationError("no parameters are expected") }
    }
}
