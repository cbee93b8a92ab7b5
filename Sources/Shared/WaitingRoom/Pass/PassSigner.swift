import Crypto

/// Writes passes as texts and reads them back: JWTs (RFC 7519) signed with ES256 (RFC 7518, section 3.4). The keys derive from
/// `SECRET_KEY`, so that all gateways and workers sign alike; with two secrets the first signs, and what either has signed is good.
///
/// Every pass that a key signs begins with the same header. A text with any other is not read further, whatever its `alg` and `kid` say.
package struct PassSigner: Sendable {
    /// No pass is longer: a visitor id has at most 64 characters, which a few scalars each can make long.
    package static let maximumLength = 4096

    /// What others need to check passes (RFC 7517, RFC 7518, section 6.2).
    package struct PublicKey: Sendable, Equatable {
        /// Its thumbprint (RFC 7638).
        package let name: String
        package let x: String
        package let y: String

        fileprivate init(_ key: P256.Signing.PublicKey) {
            let bytes = Array(key.rawRepresentation)
            x = Base64URL.encode(Array(bytes[..<32]))
            y = Base64URL.encode(Array(bytes[32...]))
            let members = #"{"crv":"P-256","kty":"EC","x":"\#(x)","y":"\#(y)"}"#
            name = Base64URL.encode(Array(SHA256.hash(data: Array(members.utf8))))
        }
    }

    private struct Key: Sendable {
        let signing: P256.Signing.PrivateKey
        let known: PublicKey
        /// What each of its passes begins with, the dot included.
        let header: [UInt8]

        init(_ seed: SymmetricKey) {
            var bytes = seed.withUnsafeBytes { Array($0) }
            // Of 32 bytes by chance all but one in four thousand million are a private key.
            while true {
                if let key = try? P256.Signing.PrivateKey(rawRepresentation: bytes) {
                    signing = key
                    break
                }
                bytes = Array(SHA256.hash(data: bytes))
            }
            known = PublicKey(signing.publicKey)
            let text = #"{"alg":"ES256","typ":"JWT","kid":"\#(known.name)"}"#
            header = Array((Base64URL.encode(Array(text.utf8)) + ".").utf8)
        }
    }

    private let issuer: String
    private let keys: [Key]
    private let verified = VerifiedTexts<SignedPass>()

    /// - Parameter issuer: the service's own address (`PUBLIC_URL`), without which a pass is somebody else's.
    package init(_ secret: SecretKey, issuer: String) {
        self.issuer = issuer
        keys = secret.keys(.pass).map(Key.init)
    }

    /// The current key first.
    package var publicKeys: [PublicKey] { keys.map(\.known) }

    /// - Throws: what the cryptographic library throws, which it does when the system has no random numbers.
    package func sign(_ pass: Pass) throws -> String {
        let text = claims(of: pass).text
        let signed = keys[0].header + Array(Base64URL.encode(Array(text.utf8)).utf8)
        let signature = try keys[0].signing.signature(for: signed)
        return String(decoding: signed, as: UTF8.self) + "." + Base64URL.encode(Array(signature.rawRepresentation))
    }

    /// The claims of a pass (RFC 7519, section 4.1), times in seconds since 1970.
    package func claims(of pass: Pass) -> JSON {
        [
            "iss": .string(issuer), "aud": .string(pass.tenant.description), "sub": .string(pass.visitor),
            "jti": .string(pass.entry.description), "queue": .string(pass.queue.description),
            "iat": .integer(pass.issued.milliseconds / 1000), "nbf": .integer(pass.issued.milliseconds / 1000),
            "exp": .integer(pass.expires.milliseconds / 1000),
        ]
    }

    /// The pass that `text` is; `nil` for anything that this service did not sign, and for one whose time is over.
    package func verify(_ text: String, at now: Timestamp = .now()) -> Pass? {
        Array(text.utf8).withUnsafeBufferPointer { bytes in
            if let known = known(bytes, at: now) { return known }
            let pass = check(Array(bytes), at: now)
            if let pass { verified.note(SignedPass(pass, text: text), bytes) }
            return pass
        }
    }

    /// The same as far as memory tells: the pass, when a text of these bytes was found good lately and its time is not over.
    package func known(_ text: UnsafeBufferPointer<UInt8>, at now: Timestamp) -> Pass? {
        guard let known = verified.find(text), known.pass.expires > now else { return nil }
        return known.pass
    }

    /// Forgets texts of passes that were not checked for a minute or two; to be called once a second where passes are checked.
    package func forgetUnused() { verified.forgetUnused() }

    private func check(_ bytes: [UInt8], at now: Timestamp) -> Pass? {
        guard bytes.count <= Self.maximumLength, let key = keys.first(where: { bytes.starts(with: $0.header) }),
            let dot = bytes.lastIndex(of: UInt8(ascii: ".")), dot >= key.header.count,
            let tag = Base64URL.decode(String(decoding: bytes[(dot + 1)...], as: UTF8.self)),
            let signature = try? P256.Signing.ECDSASignature(rawRepresentation: tag),
            key.signing.publicKey.isValidSignature(signature, for: bytes[..<dot]),
            let claims = Base64URL.decode(String(decoding: bytes[key.header.count..<dot], as: UTF8.self)),
            let json = try? JSONScanner.scan(claims)
        else { return nil }
        return pass(json, at: now)
    }

    private func pass(_ claims: JSON, at now: Timestamp) -> Pass? {
        func identifier(_ name: String) -> Identifier? { claims[name]?.string.flatMap { Identifier(uuid: $0) } }
        func time(_ name: String) -> Timestamp? {
            if case .integer(let seconds)? = claims[name] { Timestamp(milliseconds: seconds * 1000) } else { nil }
        }
        guard claims["iss"]?.string == issuer, let tenant = identifier("aud"), let queue = identifier("queue"),
            let entry = identifier("jti"), let visitor = claims["sub"]?.string, let issued = time("iat"), let expires = time("exp"),
            expires > now
        else { return nil }
        return Pass(tenant: tenant, queue: queue, entry: entry, visitor: visitor, issued: issued, expires: expires)
    }
}
