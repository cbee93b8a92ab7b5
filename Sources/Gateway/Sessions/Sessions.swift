import Crypto
import Foundation
import JWTKit
import WaitingRoom

/// The access tokens of people who signed in: JWTs (RFC 7519) signed with HMAC-SHA256 under a key derived from `SECRET_KEY`.
struct Sessions: Sendable {
    /// Seconds that an access token is good for.
    static let tokenSeconds = 3600
    /// Seconds after which signing in again is due, however often the token was refreshed.
    static let sessionSeconds = 86_400

    struct Session: Sendable {
        let id: Identifier
        let account: Identifier
        /// Seconds since 1970 of the sign-in itself.
        let signedIn: Int

        init(id: Identifier = .random(), account: Identifier, signedIn: Int) {
            self.id = id
            self.account = account
            self.signedIn = signedIn
        }
    }

    private struct Claims: JWTPayload {
        let sub: SubjectClaim
        let iat: IssuedAtClaim
        let exp: ExpirationClaim
        /// When the session began (OpenID Connect Core, `auth_time`).
        let auth_time: Int
        /// The session's id (OpenID Connect Front-Channel Logout, `sid`).
        let sid: String

        func verify(using algorithm: some JWTAlgorithm) throws { try exp.verifyNotExpired() }
    }

    private let keys = JWTKeyCollection()
    private let currentKey: JWKIdentifier
    private let known: Set<String>

    init(secret: SecretKey) async {
        var names: [String] = []
        for key in secret.keys(.session) {
            let name = Base64URL.encode(Array(SHA256.hash(data: key.withUnsafeBytes { Array($0) }).prefix(6)))
            await keys.add(hmac: HMACKey(key: key), digestAlgorithm: .sha256, kid: JWKIdentifier(string: name))
            names.append(name)
        }
        currentKey = JWKIdentifier(string: names[0])
        known = Set(names)
    }

    /// A new token for a session; `nil` once the session has lasted for ``sessionSeconds``.
    func issue(_ session: Session) async throws -> (token: String, expiresIn: Int)? {
        let now = Int(Date().timeIntervalSince1970)
        let expiresIn = min(Self.tokenSeconds, session.signedIn + Self.sessionSeconds - now)
        guard expiresIn > 0 else { return nil }
        let claims = Claims(
            sub: SubjectClaim(value: session.account.description), iat: IssuedAtClaim(value: Date(timeIntervalSince1970: Double(now))),
            exp: ExpirationClaim(value: Date(timeIntervalSince1970: Double(now + expiresIn))), auth_time: session.signedIn,
            sid: session.id.description)
        return (try await keys.sign(claims, kid: currentKey), expiresIn)
    }

    /// The session of a token; `nil` for anything that this service did not sign, and for one that has ended.
    func verify(_ token: String) async -> Session? {
        guard isOurHeader(token), let claims = try? await keys.verify(token, as: Claims.self),
            let account = Identifier(uuid: claims.sub.value), let id = Identifier(uuid: claims.sid)
        else { return nil }
        return Session(id: id, account: account, signedIn: claims.auth_time)
    }

    /// The library falls back to a default key for an unknown `kid` and does not compare `alg`: the header is checked before it sees the
    /// token.
    private func isOurHeader(_ token: String) -> Bool {
        guard token.utf8.count <= 2048, let header = token.split(separator: ".", omittingEmptySubsequences: false).first,
            let bytes = Base64URL.decode(header), let json = try? JSONScanner.scan(bytes), case .object = json,
            json["alg"]?.string == "HS256", let kid = json["kid"]?.string
        else { return false }
        return known.contains(kid) && json["crit"] == nil
    }
}
