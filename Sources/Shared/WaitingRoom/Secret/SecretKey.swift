package import Crypto

/// The service's secret. Each use derives its own key from it by HKDF (RFC 5869) with a label, so that none can stand in for another.
///
/// `SECRET_KEY` may hold two secrets, `new,old`: the new one signs and seals, both verify and open.
package struct SecretKey: Sendable {
    private let secrets: [SymmetricKey]

    /// - Parameter text: `secret` or `new,old`, each of at least 32 characters.
    /// - Returns: `nil` when one is shorter.
    package init?(_ text: String) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ $0.count >= 32 }) else { return nil }
        secrets = parts.map { SymmetricKey(data: Array($0.utf8)) }
    }

    /// A secret of 43 random characters.
    package static func generateText() -> String { Base64URL.encode(SymmetricKey(size: .bits256).withUnsafeBytes(Array.init)) }

    /// What ``init(_:)`` read.
    var text: String { secrets.map { $0.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }.joined(separator: ",") }

    package enum Label: String, Sendable {
        case ticket, entry, session, pass, shuffle, challenge
        case sealing = "application secret"
    }

    /// The keys for one use, the current one first.
    package func keys(_ label: Label) -> [SymmetricKey] {
        secrets.map {
            HKDF<SHA256>.deriveKey(inputKeyMaterial: $0, info: Array("anteroom/\(label.rawValue)".utf8), outputByteCount: 32)
        }
    }

    /// Encrypts a secret that must be kept but also used, such as the one that signs an application's callbacks (AES-256-GCM).
    package func seal(_ text: String) throws -> String {
        let box = try AES.GCM.seal(Array(text.utf8), using: keys(.sealing)[0])
        return Base64URL.encode([UInt8](box.nonce) + [UInt8](box.ciphertext) + [UInt8](box.tag))
    }

    /// What ``seal(_:)`` sealed, with this secret or the one before it; `nil` when neither opens it.
    package func open(_ sealed: String) -> String? { opened(sealed)?.text }

    /// Whether an older secret is accepted as well.
    package var isRotating: Bool { secrets.count > 1 }

    /// What to do with a sealed text so that an older secret is not needed for it.
    package enum Reseal: Sendable, Equatable {
        /// Nothing: the current secret opens it.
        case current
        /// To keep this in its place, sealed with the current secret.
        case resealed(String)
        /// No secret opens it.
        case lost
    }

    package func reseal(_ sealed: String) throws -> Reseal {
        guard let opened = opened(sealed) else { return .lost }
        return opened.isCurrent ? .current : .resealed(try seal(opened.text))
    }

    private func opened(_ sealed: String) -> (text: String, isCurrent: Bool)? {
        guard let bytes = Base64URL.decode(sealed), bytes.count >= 28,
            let nonce = try? AES.GCM.Nonce(data: bytes.prefix(12)),
            let box = try? AES.GCM.SealedBox(nonce: nonce, ciphertext: bytes.dropFirst(12).dropLast(16), tag: bytes.suffix(16))
        else { return nil }
        for (index, key) in keys(.sealing).enumerated() {
            guard let text = try? AES.GCM.open(box, using: key) else { continue }
            return String(validating: text, as: UTF8.self).map { ($0, index == 0) }
        }
        return nil
    }
}

/// Whether two texts are the same, in a time that depends on their length only.
package func equalInConstantTime(_ left: String, _ right: String) -> Bool {
    let left = Array(left.utf8)
    let right = Array(right.utf8)
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
}
