import Crypto

/// Derives an entry's id from what proves who joins, so that a repeated join finds its own place without an index.
struct EntryIdentifiers: Sendable {
    private let key: SymmetricKey

    init(_ secret: SecretKey) { key = secret.keys(.entry)[0] }

    func identifier(queue: Identifier, idempotencyKey: String) -> Identifier { derive(queue, 0, idempotencyKey) }

    func identifier(queue: Identifier, visitor: String) -> Identifier { derive(queue, 1, visitor) }

    private func derive(_ queue: Identifier, _ kind: UInt8, _ text: String) -> Identifier {
        var message = queue.bytes
        message.append(kind)
        message.append(contentsOf: text.utf8)
        return Identifier(digest: HMAC<SHA256>.authenticationCode(for: message, using: key))
    }
}
