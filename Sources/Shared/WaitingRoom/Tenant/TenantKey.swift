import Crypto

/// A tenant's credential. The text names its tenant, so that checking one needs no index: the tenant's record says which is current.
package struct TenantKey: Sendable {
    package enum Kind: Sendable {
        /// `pk_…`: may join.
        case api
        /// `whsec_…`: signs callbacks (Standard Webhooks, "Signature scheme") and acts as the tenant's administrator.
        case secret
    }

    package let kind: Kind
    package let tenant: Identifier
    package let text: String

    /// A new key with 144 (api) or 208 (secret) random bits.
    package static func generate(_ kind: Kind, tenant: Identifier) -> TenantKey {
        let random = SymmetricKey(size: SymmetricKeySize(bitCount: kind == .api ? 144 : 208)).withUnsafeBytes(Array.init)
        let base64 = Base64URL.encode(tenant.bytes + random)
        switch kind {
        case .api: return TenantKey(kind: kind, tenant: tenant, text: "pk_" + base64)
        case .secret:
            let standard = base64.replacing("-", with: "+").replacing("_", with: "/")
            return TenantKey(kind: kind, tenant: tenant, text: "whsec_" + standard)
        }
    }

    /// Reads a key; `nil` when `text` cannot be one. Whether it is the tenant's is for ``Tenants`` to say.
    package init?(_ text: String) {
        let encoded: String
        if text.hasPrefix("pk_") {
            kind = .api
            encoded = String(text.dropFirst(3))
        } else if text.hasPrefix("whsec_") {
            kind = .secret
            encoded = String(text.dropFirst(6)).replacing("+", with: "-").replacing("/", with: "_")
        } else {
            return nil
        }
        guard let bytes = Base64URL.decode(encoded), bytes.count == (kind == .api ? 34 : 42) else { return nil }
        tenant = Identifier(bytes: bytes.prefix(16))
        self.text = text
    }

    private init(kind: Kind, tenant: Identifier, text: String) {
        self.kind = kind
        self.tenant = tenant
        self.text = text
    }

    /// The bytes that sign a callback with a `whsec_` key: what follows the prefix, decoded.
    package static func signingBytes(_ secret: String) -> [UInt8]? {
        guard secret.hasPrefix("whsec_") else { return nil }
        return Base64URL.decode(secret.dropFirst(6).replacing("+", with: "-").replacing("/", with: "_"))
    }
}
