import Crypto

/// Signs a callback in the form of the Standard Webhooks specification ("Signature scheme", symmetric): HMAC-SHA256 over
/// `id.timestamp.body` with the bytes behind the secret's `whsec_` prefix, as `v1,<base64>`; while keys are rotated once for each of them,
/// divided by a blank.
package enum WebhookSignature {
    /// The headers of one attempt.
    /// - Parameters:
    ///   - id: ``Callback/id(epoch:)``.
    ///   - seconds: when the attempt is made, in seconds since 1970.
    ///   - secrets: the tenant's `whsec_…` keys.
    /// - Returns: `nil` when there is none, or one is no such key.
    package static func headers(id: String, seconds: Int64, body: String, secrets: [String]) -> [(name: String, value: String)]? {
        let message = Array("\(id).\(seconds).\(body)".utf8)
        let signatures = secrets.compactMap { TenantKey.signingBytes($0).map { signature(message, $0) } }
        guard !signatures.isEmpty, signatures.count == secrets.count else { return nil }
        return [
            ("webhook-id", id), ("webhook-timestamp", String(seconds)), ("webhook-signature", signatures.joined(separator: " ")),
        ]
    }

    private static func signature(_ message: [UInt8], _ key: [UInt8]) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key))
        return "v1," + Base64URL.encode(Array(code)).replacing("-", with: "+").replacing("_", with: "/") + "="
    }
}
