import Crypto

/// Derives an entry's id from what proves who joins, so that a repeated join finds its own place without an index.
struct EntryIdentifiers: Sendable {
    /// Ids that one proof gives.
    struct Candidates {
        let current: Identifier
        /// Under the other key while `SECRET_KEY` is changed: a place may have been taken under either.
        let other: Identifier?
    }

    private let keys: [SymmetricKey]

    init(_ secret: SecretKey) { keys = secret.keys(.entry) }

    func candidates(queue: Identifier, idempotencyKey: String) -> Candidates { derive(queue, 0, idempotencyKey) }

    func candidates(queue: Identifier, visitor: String) -> Candidates { derive(queue, 1, visitor) }

    /// For who brings an invitation that is good for one place, or a solved challenge.
    func candidates(queue: Identifier, proof: Identifier) -> Candidates { derive(queue, 2, proof.compact) }

    private func derive(_ queue: Identifier, _ kind: UInt8, _ text: String) -> Candidates {
        var message = queue.bytes
        message.append(kind)
        message.append(contentsOf: text.utf8)
        func derive(_ key: SymmetricKey) -> Identifier { Identifier(digest: HMAC<SHA256>.authenticationCode(for: message, using: key)) }
        return Candidates(current: derive(keys[0]), other: keys.count > 1 ? derive(keys[1]) : nil)
    }
}
