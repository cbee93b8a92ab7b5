import Crypto
import Testing

@testable import WaitingRoom

@Suite("Passes")
struct PassTests {
    private static let old = String(repeating: "o", count: 32)
    private static let new = String(repeating: "n", count: 32)

    private let signer = PassSigner(SecretKey(old)!, issuer: "https://wait.example")
    private let pass = Pass(
        tenant: .random(), queue: .random(), entry: .random(), visitor: "v \"é\" 1", issued: Timestamp(milliseconds: 1_000_000_000),
        expires: Timestamp(milliseconds: 1_000_600_000))
    private let then = Timestamp(milliseconds: 1_000_599_999)

    @Test("a pass is read back, by every process with the same secret, until its session ends")
    func life() throws {
        let text = try signer.sign(pass)
        #expect(PassSigner(SecretKey(Self.old)!, issuer: "https://wait.example").verify(text, at: then) == pass)
        #expect(signer.verify(text, at: pass.expires) == nil)
        #expect(signer.publicKeys == PassSigner(SecretKey(Self.old)!, issuer: "x").publicKeys)
    }

    @Test("another service's pass is none, and so is one of another address")
    func foreign() throws {
        let text = try signer.sign(pass)
        #expect(PassSigner(SecretKey(Self.new)!, issuer: "https://wait.example").verify(text, at: then) == nil)
        #expect(PassSigner(SecretKey(Self.old)!, issuer: "https://other.example").verify(text, at: then) == nil)
    }

    @Test("with two secrets the first signs and both are good")
    func rotation() throws {
        let both = PassSigner(SecretKey("\(Self.new),\(Self.old)")!, issuer: "https://wait.example")
        #expect(both.verify(try signer.sign(pass), at: then) == pass)
        let text = try both.sign(pass)
        #expect(signer.verify(text, at: then) == nil)
        #expect(PassSigner(SecretKey(Self.new)!, issuer: "https://wait.example").verify(text, at: then) == pass)
        #expect(both.publicKeys.count == 2 && Set(both.publicKeys.map(\.name)).count == 2)
    }

    @Test("no other byte anywhere")
    func changed() throws {
        let bytes = Array(try signer.sign(pass).utf8)
        for index in bytes.indices {
            var changed = bytes
            changed[index] = changed[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(signer.verify(String(decoding: changed, as: UTF8.self), at: then) == nil, "byte \(index)")
            #expect(signer.verify(String(decoding: bytes[..<index], as: UTF8.self), at: then) == nil, "the first \(index)")
        }
    }

    @Test("no other algorithm, key or kind of signature")
    func games() throws {
        let parts = try signer.sign(pass).split(separator: ".").map(String.init)
        let name = signer.publicKeys[0].name
        func header(_ text: String) -> String { Base64URL.encode(Array(text.utf8)) }
        func hmac(_ key: String, _ signed: String) -> String {
            Base64URL.encode(
                Array(HMAC<SHA256>.authenticationCode(for: Array(signed.utf8), using: SymmetricKey(data: Array(key.utf8)))))
        }
        let none = header(#"{"alg":"none","typ":"JWT","kid":"\#(name)"}"#) + "." + parts[1]
        let symmetric = header(#"{"alg":"HS256","typ":"JWT","kid":"\#(name)"}"#) + "." + parts[1]
        let embedded =
            header(#"{"alg":"ES256","typ":"JWT","jwk":{"kty":"EC","crv":"P-256","x":"","y":""}}"#) + "." + parts[1] + "." + parts[2]
        let key = signer.publicKeys[0]
        for text in [
            none + ".", none + "." + parts[2], symmetric + "." + hmac(key.x + key.y, symmetric), symmetric + "." + hmac(name, symmetric),
            embedded, "\(parts[0]).\(parts[1]).", "\(parts[0]).\(parts[1])", "\(parts[0]).\(parts[1]).\(parts[2]).\(parts[2])",
            "\(parts[0])..\(parts[2])", parts.joined(separator: ".") + "=", " " + parts.joined(separator: "."), "", ".", "..",
            parts[0] + "." + String(repeating: "A", count: PassSigner.maximumLength),
        ] {
            #expect(signer.verify(text, at: then) == nil, "\(text)")
        }
        // A signature of ours over something else.
        let other = try P256.Signing.PrivateKey().signature(for: Array("\(parts[0]).\(parts[1])".utf8))
        #expect(signer.verify("\(parts[0]).\(parts[1]).\(Base64URL.encode(Array(other.rawRepresentation)))", at: then) == nil)
    }

    @Test("somebody let in has one while their session lasts; nobody else has")
    func entries() async throws {
        try await Line.with { line in
            let joined = try await line.join("v")
            #expect(Pass(joined.entry, of: line.queue) == nil)
            try await line.releaseOne()
            let entry = try #require(try await line.status(joined))
            let pass = try #require(Pass(entry, of: line.queue))
            #expect(pass.entry == joined.entry.id && pass.visitor == "v" && pass.tenant == line.tenant.id)
            #expect(pass.expires.milliseconds == (pass.issued.milliseconds / 1000 + 600) * 1000)
            #expect(Pass(entry, of: line.queue, at: pass.expires) == nil)
            let left = try await line.join("w")
            _ = try await line.queues.cancel(try line.ticket(left))
            let gone = try #require(try await line.status(left))
            #expect(Pass(gone, of: line.queue) == nil)
        }
    }
}
