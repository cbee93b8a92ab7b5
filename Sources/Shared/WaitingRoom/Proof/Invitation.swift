import Crypto

/// What a site gives to those who may join: a JWT (RFC 7519) that it signs with its application's secret key (HS256, RFC 7518, section
/// 3.2), with any library for such.
///
/// Claims: `queue`, the queue's id; `jti`, which names the invitation, at most 128 characters; `exp`; and if need be `nbf`, and `uses`, for
/// how many places it is good, 1 unless said otherwise.
package struct Invitation: Sendable, Equatable {
    package static let maximumLength = 2048
    package static let mostUses = 1_000_000
    private static let nameLength = 1...128

    package let queue: Identifier
    /// Stands for its `jti`.
    package let id: Identifier
    package let uses: Int
    package let expires: Timestamp

    /// - Parameter secrets: of the application, any of which may have signed it.
    /// - Returns: `nil` for anything that is no invitation, and for one whose time is over or has not come.
    package init?(_ text: String, secrets: [String], at now: Timestamp = .now()) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= Self.maximumLength, parts.count == 3, let tag = Base64URL.decode(String(parts[2])),
            let header = Self.json(parts[0]), header["alg"]?.string == "HS256", header["crit"] == nil
        else { return nil }
        let signed = Array("\(parts[0]).\(parts[1])".utf8)
        let isSigned = secrets.contains { secret in
            HMAC<SHA256>.isValidAuthenticationCode(tag, authenticating: signed, using: SymmetricKey(data: Array(secret.utf8)))
        }
        guard isSigned, let claims = Self.json(parts[1]), let queue = claims["queue"]?.string.flatMap({ Identifier(uuid: $0) }),
            let name = claims["jti"]?.string, Self.nameLength.contains(name.unicodeScalars.count),
            let expires = Self.seconds(claims["exp"]), expires > now,
            Self.seconds(claims["nbf"]).map({ $0 <= now }) ?? (claims["nbf"] == nil)
        else { return nil }
        switch claims["uses"] {
        case nil: uses = 1
        case .integer(let number)? where (1...Int64(Self.mostUses)).contains(number): uses = Int(number)
        default: return nil
        }
        self.queue = queue
        self.expires = expires
        id = Identifier(digest: SHA256.hash(data: Array(name.utf8)))
    }

    private static func json(_ part: Substring) -> JSON? { Base64URL.decode(String(part)).flatMap { try? JSONScanner.scan($0) } }

    /// A NumericDate (RFC 7519, section 2), from 1970 to the year 9999.
    private static func seconds(_ value: JSON?) -> Timestamp? {
        switch value {
        case .integer(let seconds)? where (0...253_402_300_799).contains(seconds): Timestamp(milliseconds: seconds * 1000)
        case .number(let seconds)? where (0...253_402_300_799).contains(seconds): Timestamp(milliseconds: Int64(seconds * 1000))
        default: nil
        }
    }
}
