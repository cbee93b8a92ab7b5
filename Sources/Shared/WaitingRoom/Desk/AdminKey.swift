import Crypto

/// The credential of a queue's desk (`X-Admin-Key`): 192 random bits, of which Redis keeps the SHA-256 only.
package struct AdminKey: Sendable {
    /// What the desk types in; told once.
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func generate() -> AdminKey {
        AdminKey(SymmetricKey(size: .bits192).withUnsafeBytes { Base64URL.encode(Array($0)) })
    }

    package var hash: String { Base64URL.encode(Array(SHA256.hash(data: Array(text.utf8)))) }

    /// Whether it opens `queue`; a queue that nobody has claimed is opened by no key.
    package func opens(_ queue: Queue) -> Bool {
        guard let expected = queue.adminKeyHash else { return false }
        return equalInConstantTime(hash, expected)
    }
}
