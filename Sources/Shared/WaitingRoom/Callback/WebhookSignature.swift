import Crypto

/// Signs a callback in the form of the Standard Webhooks specification ("Signature scheme", symmetric): HMAC-SHA256 over
/// `id.timestamp.body` with the bytes behind the secret's `whsec_` prefix, as `v1,<base64>`.
package enum WebhookSignature {
    /// The headers of one attempt.
    /// - Parameters:
    ///   - id: ``Callback/id(epoch:)``.
    ///   - seconds: when the attempt is made, in seconds since 1970.
    ///   - secret: the tenant's `whsec_…` key.
    /// - Returns: `nil` when `secret` is no such key.
    package static func headers(id: String, seconds: Int64, body: String, secret: String) -> [(name: String, value: String)]? {
        guard let key = TenantKey.signingBytes(secret) else { return nil }
        let message = Array("\(id).\(seconds).\(body)".utf8)
        let code = HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key))
        let base64 = Base64URL.encode(Array(code)).replacing("-", with: "+").replacing("_", with: "/") + "="
        return [("webhook-id", id), ("webhook-timestamp", String(seconds)), ("webhook-signature", "v1,\(base64)")]
    }
}
