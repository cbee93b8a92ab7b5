/// One request as it stands in a connection's bytes, if nothing about it is out of the ordinary: the HTTP/1.1 that nearly all clients send
/// (RFC 9112), with one Host, no transfer coding, no upgrade, no fold and no character that two programs could read differently. Of any
/// other, only the codec can tell where it ends.
struct PlainRequest {
    enum Reading {
        /// Its head is whole; of its body there may be only a part.
        case request(PlainRequest)
        /// So far it is plain.
        case incomplete
        case unusual
    }

    enum Method: Equatable { case get, post, other }

    /// A longer head is not plain.
    static let longestHead = 8192

    private(set) var method = Method.other
    private(set) var target = 0..<0
    /// Where the head ends, its empty line included.
    private(set) var headLength = 0
    private(set) var bodyLength = 0
    private(set) var contentType: Range<Int>?
    private(set) var key: Range<Int>?
    private(set) var idempotencyKey: Range<Int>?
    private(set) var forwardedFor: Range<Int>?
    private(set) var cookie: Range<Int>?
    /// What a visitor asked a site for whose proxy asks the gate.
    private(set) var originalURI: Range<Int>?
    /// Whether it has credentials of another kind, or one of the fields above twice.
    private(set) var isSpecial = false
    private var hosts = 0
    private var hasLength = false

    var length: Int { headLength + bodyLength }

    /// Reads the request that begins with the first of `bytes`.
    static func read(_ bytes: UnsafeBufferPointer<UInt8>) -> Reading {
        var request = PlainRequest()
        var position = 0
        switch request.readLine(bytes, &position) {
        case true?: break
        case false?: return .unusual
        case nil: return bytes.count < longestHead ? .incomplete : .unusual
        }
        while true {
            switch request.readField(bytes, &position) {
            case true?: continue
            case false?: break
            case nil: return bytes.count < longestHead ? .incomplete : .unusual
            }
            guard request.headLength > 0, request.headLength <= longestHead, request.hosts == 1 else { return .unusual }
            return .request(request)
        }
    }

    /// Reads the request line.
    /// - Returns: `nil` when there is not all of it, `false` when it is unusual.
    private mutating func readLine(_ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int) -> Bool? {
        while position < bytes.count, bytes[position] &- UInt8(ascii: "A") < 26 { position += 1 }
        guard position < bytes.count else { return nil }
        let name = UnsafeBufferPointer(rebasing: bytes[0..<position])
        switch position {
        case 3 where name.isField("get"): method = .get
        case 4 where name.isField("post"): method = .post
        case 3 where name.isField("put"), 4 where name.isField("head"), 5 where name.isField("patch"), 6 where name.isField("delete"),
            7 where name.isField("options"):
            method = .other
        default: return false
        }
        guard bytes[position] == UInt8(ascii: " ") else { return false }
        position += 1
        let start = position
        Self.skip(0x21, bytes, &position)
        while position < bytes.count, bytes[position] &- 0x21 < 0x5E { position += 1 }
        guard position < bytes.count else { return nil }
        target = start..<position
        guard bytes[start] == UInt8(ascii: "/") else { return false }
        for index in 0..<Self.version.utf8CodeUnitCount {
            guard position < bytes.count else { return nil }
            guard bytes[position] == Self.version.utf8Start[index] else { return false }
            position += 1
        }
        return true
    }

    private static let version: StaticString = " HTTP/1.1\r\n"

    /// Reads a header field.
    /// - Returns: `nil` when there is not all of it, `false` at the head's end or when it is unusual: ``headLength`` is 0 then.
    private mutating func readField(_ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int) -> Bool? {
        let start = position
        while position < bytes.count, Self.isNameCharacter(bytes[position]) { position += 1 }
        guard position < bytes.count else { return nil }
        if position == start {
            guard bytes[position] == UInt8(ascii: "\r") else { return false }
            guard position + 1 < bytes.count else { return nil }
            if bytes[position + 1] == UInt8(ascii: "\n") { headLength = position + 2 }
            return false
        }
        guard bytes[position] == UInt8(ascii: ":") else { return false }
        let name = UnsafeBufferPointer(rebasing: bytes[start..<position])
        position += 1
        while position < bytes.count, Self.isBlank(bytes[position]) { position += 1 }
        let valueStart = position
        Self.skip(0x20, bytes, &position)
        while position < bytes.count, bytes[position] &- 0x20 < 0x5F || bytes[position] == UInt8(ascii: "\t") { position += 1 }
        guard position + 1 < bytes.count else { return nil }
        guard bytes[position] == UInt8(ascii: "\r"), bytes[position + 1] == UInt8(ascii: "\n") else { return false }
        var valueEnd = position
        while valueEnd > valueStart, Self.isBlank(bytes[valueEnd - 1]) { valueEnd -= 1 }
        position += 2
        return note(name, bytes, valueStart..<valueEnd)
    }

    /// Notes what a field means for the request.
    /// - Returns: `false` when it is unusual.
    private mutating func note(
        _ name: UnsafeBufferPointer<UInt8>, _ bytes: UnsafeBufferPointer<UInt8>, _ value: Range<Int>
    ) -> Bool {
        switch name.count {
        case 4 where name.isField("host"): hosts += 1
        case 6 where name.isField("expect"): return false
        case 6 where name.isField("cookie"): Self.keep(value, in: &cookie, &isSpecial)
        case 7 where name.isField("upgrade"): return false
        case 10 where name.isField("connection"): return UnsafeBufferPointer(rebasing: bytes[value]).isField("keep-alive")
        case 13 where name.isField("authorization"): isSpecial = true
        case 14 where name.isField("x-original-uri"), 15 where name.isField("x-forwarded-uri"):
            Self.keep(value, in: &originalURI, &isSpecial)
        case 14 where name.isField("content-length"):
            guard !hasLength, (1...9).contains(value.count) else { return false }
            hasLength = true
            for digit in bytes[value] {
                guard digit &- UInt8(ascii: "0") < 10 else { return false }
                bodyLength = bodyLength * 10 + Int(digit &- UInt8(ascii: "0"))
            }
        case 17 where name.isField("transfer-encoding"): return false
        case 9 where name.isField("x-api-key"), 11 where name.isField("app-api-key") || name.isField("app_api_key"):
            Self.keep(value, in: &key, &isSpecial)
        case 12 where name.isField("content-type"): Self.keep(value, in: &contentType, &isSpecial)
        case 15 where name.isField("idempotency-key"): Self.keep(value, in: &idempotencyKey, &isSpecial)
        case 15 where name.isField("x-forwarded-for"): Self.keep(value, in: &forwardedFor, &isSpecial)
        default: break
        }
        return true
    }

    private static func keep(_ value: Range<Int>, in field: inout Range<Int>?, _ isSpecial: inout Bool) {
        if field != nil { isSpecial = true }
        field = value
    }

    /// A token has more characters (RFC 9110, section 5.6.2); names in use have these.
    private static func isNameCharacter(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "-") || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "_")
    }

    /// Goes on behind ASCII from `least` to 0x7E, eight bytes at a time; the last few, and some before another byte, are left.
    private static func skip(_ least: UInt64, _ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int) {
        let memory = UnsafeRawPointer(bytes.baseAddress)
        while position + 8 <= bytes.count, let word = memory?.loadUnaligned(fromByteOffset: position, as: UInt64.self) {
            let tooSmall = (word &- least &* 0x0101_0101_0101_0101) & ~word
            let tooLarge = (word &+ 0x0101_0101_0101_0101) | word
            guard (tooSmall | tooLarge) & 0x8080_8080_8080_8080 == 0 else { return }
            position += 8
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
}

extension UnsafeBufferPointer<UInt8> {
    /// Whether these bytes are `lowercase`, in whatever case.
    fileprivate func isField(_ lowercase: StaticString) -> Bool {
        guard count == lowercase.utf8CodeUnitCount else { return false }
        for index in 0..<count {
            let byte = self[index]
            let isCapital = byte &- UInt8(ascii: "A") < 26
            if (isCapital ? byte | 0x20 : byte) != lowercase.utf8Start[index] { return false }
        }
        return true
    }
}
