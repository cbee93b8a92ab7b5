import Crypto
import CryptoExtras
import NIOPosix

/// Passwords at rest: scrypt (RFC 7914) with N = 2^15, r = 8, p = 1, a random salt of 16 bytes, written as `scrypt$15$8$1$<salt>$<key>`.
/// The work is done on NIO's thread pool: it takes a tenth of a second that no event loop has.
package struct PasswordHash: Sendable {
    /// The costs above.
    package static let standard = PasswordHash(logN: 15)

    private static let (blockSize, parallelism) = (8, 1)
    private let logN: Int

    /// - Parameter logN: the binary logarithm of N; less than 15 is for tests.
    package init(logN: Int) { self.logN = logN }

    package func make(_ password: String) async throws -> String {
        let salt = SymmetricKey(size: .bits128).withUnsafeBytes(Array.init)
        let key = try await Self.derive(
            password, salt: salt, logN: logN, blockSize: Self.blockSize, parallelism: Self.parallelism)
        return text(salt: Base64URL.encode(salt), key: Base64URL.encode(key))
    }

    /// A hash that no password opens, as slow to try as the others.
    package var closed: String {
        text(salt: String(repeating: "A", count: 22), key: String(repeating: "A", count: 43))
    }

    private func text(salt: String, key: String) -> String {
        "scrypt$\(logN)$\(Self.blockSize)$\(Self.parallelism)$\(salt)$\(key)"
    }

    /// Whether `hash` was made of `password`.
    package static func verify(_ password: String, _ hash: String) async throws -> Bool {
        let parts = hash.split(separator: "$")
        guard parts.count == 6, parts[0] == "scrypt", let logN = Int(parts[1]), let blockSize = Int(parts[2]),
            let parallelism = Int(parts[3]),
            (1...20).contains(logN), let salt = Base64URL.decode(parts[4])
        else { return false }
        let key = try await derive(password, salt: salt, logN: logN, blockSize: blockSize, parallelism: parallelism)
        return equalInConstantTime(Base64URL.encode(key), String(parts[5]))
    }

    private static func derive(_ password: String, salt: [UInt8], logN: Int, blockSize: Int, parallelism: Int) async throws -> [UInt8] {
        try await NIOThreadPool.singleton.runIfActive {
            try KDF.Scrypt.deriveKey(
                from: Array(password.utf8), salt: salt, outputByteCount: 32, rounds: 1 << logN, blockSize: blockSize,
                parallelism: parallelism
            ).withUnsafeBytes(Array.init)
        }
    }
}
