import Crypto

/// The lots of those who come before an opening. A secret seed decides them, of which everybody sees a commitment beforehand and the seed
/// itself afterwards, so that anybody can check every place: nobody could choose the lots once people had come, and none was changed.
///
/// The seed derives from `SECRET_KEY`, so that all gateways draw alike and it is kept nowhere.
package struct Shuffle: Sendable {
    /// How it is done, for those who check it.
    package static let algorithm =
        "commitment = hex(SHA-256(seed)); lot of an entry = first 12 hex digits of SHA-256(seed \":\" id), where seed and id are texts and id is "
        + "the entry's id in lower case; number = floor(lot * slots / 2^48), or the next one that is free, modulo slots, in order of joining; "
        + "who came before opens_at goes in ascending order of numbers"

    package let seed: String

    /// SHA-256 of the seed's text, in hexadecimal digits.
    package var commitment: String { Self.hex(SHA256.hash(data: Array(seed.utf8))) }

    /// Less than 2^48.
    package func lot(of entry: Identifier) -> Int64 {
        SHA256.hash(data: Array("\(seed):\(entry)".utf8)).prefix(6).reduce(0) { $0 << 8 | Int64($1) }
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static let digits = Array("0123456789abcdef".utf8)
}

/// Draws for the openings of all queues.
package struct Shuffles: Sendable {
    private let keys: [SymmetricKey]

    init(_ secret: SecretKey) { keys = secret.keys(.shuffle) }

    /// What a queue shows before an opening; its openings are counted from 1.
    func commitment(to opening: Int, of queue: Identifier) -> String { shuffle(opening, queue, keys[0]).commitment }

    /// The lots of a queue's present opening; `nil` when they were committed to under a `SECRET_KEY` that is not known any more.
    package func shuffle(of queue: Queue) -> Shuffle? {
        keys.lazy.map { shuffle(queue.opening, queue.id, $0) }.first { $0.commitment == queue.shuffleCommitment }
    }

    /// ``shuffle(of:)``, or another where that is `nil`: people are drawn all the same, and nobody is shown a seed.
    func shuffleOrAnother(of queue: Queue) -> Shuffle { shuffle(of: queue) ?? shuffle(queue.opening, queue.id, keys[0]) }

    private func shuffle(_ opening: Int, _ queue: Identifier, _ key: SymmetricKey) -> Shuffle {
        let message = queue.bytes + "/\(opening)".utf8
        return Shuffle(seed: Base64URL.encode(Array(HMAC<SHA256>.authenticationCode(for: message, using: key))))
    }
}
