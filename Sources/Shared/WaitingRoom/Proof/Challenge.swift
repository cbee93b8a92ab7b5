import Crypto

/// A puzzle that a join has to bring solved, so that many joins cost many seconds of somebody's processor: a text that together with the
/// puzzle's has a hash that begins with so many zero bits (Back, "Hashcash", 2002).
package struct Challenge: Sendable, Equatable {
    package let queue: Identifier
    /// Names it: each is good for one place.
    package let id: Identifier
    /// Of the hash; each more takes twice as long.
    package let bits: Int
    package let expires: Timestamp
    /// What its solver is given.
    package let text: String

    /// Whether SHA-256 of the challenge's text, a colon and the solution begins with as many zero bits.
    package func isSolved(by solution: String) -> Bool {
        var zeros = 0
        for byte in SHA256.hash(data: Array("\(text):\(solution)".utf8)) {
            zeros += byte.leadingZeroBitCount
            if byte != 0 { break }
        }
        return zeros >= bits
    }
}

/// Gives out challenges and knows them again. They are signed, so that no gateway has to remember them.
///
/// Layout before base64url: version (1 byte), queue (16), id (16), expiry in seconds (8), bits (1), and the first 16 bytes of HMAC-SHA256
/// over all of it.
package struct Challenges: Sendable {
    private static let version: UInt8 = 1
    private static let length = 42
    private static let tagLength = 16
    /// How long one is good, in seconds: for the slowest telephone, and a wait on the waiting page.
    package static let life = 600
    /// Of a challenge's text.
    package static let maximumLength = 2 * length
    /// No solution needs more characters.
    package static let solutionLength = 1...64

    private let keys: [SymmetricKey]

    package init(_ secret: SecretKey) { keys = secret.keys(.challenge) }

    package func issue(for queue: Identifier, bits: Int, at now: Timestamp = .now()) -> Challenge {
        let id = Identifier.random()
        let expires = now.milliseconds / 1000 + Int64(Self.life)
        var bytes = [Self.version] + queue.bytes + id.bytes
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: expires >> Int64(shift))) }
        bytes.append(UInt8(bits))
        let tag = HMAC<SHA256>.authenticationCode(for: bytes, using: keys[0]).prefix(Self.tagLength)
        return Challenge(
            queue: queue, id: id, bits: bits, expires: Timestamp(milliseconds: expires * 1000), text: Base64URL.encode(bytes + tag))
    }

    /// The challenge that a text is; `nil` for anything that this service did not give out.
    package func verify(_ text: String) -> Challenge? {
        guard text.utf8.count <= Self.maximumLength, let bytes = Base64URL.decode(text), bytes.count == Self.length + Self.tagLength,
            bytes[0] == Self.version
        else { return nil }
        let message = bytes[..<Self.length]
        let isOurs = keys.contains { key in
            let tag = HMAC<SHA256>.authenticationCode(for: message, using: key).prefix(Self.tagLength)
            return zip(tag, bytes[Self.length...]).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
        }
        guard isOurs else { return nil }
        let expires = bytes[33..<41].reduce(Int64(0)) { $0 << 8 | Int64($1) }
        return Challenge(
            queue: Identifier(bytes: bytes[1..<17]), id: Identifier(bytes: bytes[17..<33]), bits: Int(bytes[41]),
            expires: Timestamp(milliseconds: expires * 1000), text: text)
    }
}
