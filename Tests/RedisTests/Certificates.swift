import Foundation
import TestSupport

/// An authority of a test's own, and a certificate that it signed, for servers and clients, in a folder of their own.
struct Certificates {
    let folder: String
    var authority: String { "\(folder)/ca.pem" }
    var certificate: String { "\(folder)/host.pem" }
    var key: String { "\(folder)/host.key" }

    /// - Parameter names: whom the certificate is for.
    init(names: String = "IP:127.0.0.1,DNS:localhost") throws {
        folder = NSTemporaryDirectory() + "certificates-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        try make("ca.pem", ["req", "-x509", "-subj", "/CN=Test CA", "-days", "2", "-keyout", "ca.key"] + curve)
        try make("host.csr", ["req", "-subj", "/CN=host", "-keyout", "host.key"] + curve)
        try Data("subjectAltName=\(names)".utf8).write(to: URL(fileURLWithPath: "\(folder)/names"))
        let authority = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
        try make("host.pem", ["x509", "-req", "-in", "host.csr", "-days", "2", "-extfile", "names"] + authority)
    }

    /// What makes redis-server take TLS on `port`.
    func arguments(port: Int, clients: String) -> [String] {
        [
            "--bind", "127.0.0.1", "--tls-port", "\(port)", "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file",
            authority, "--tls-auth-clients", clients,
        ]
    }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    private func make(_ file: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments + ["-out", file]
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardError = FileHandle(forWritingAtPath: "/dev/null")
        try process.run()
        process.waitForExit()
        guard FileManager.default.fileExists(atPath: "\(folder)/\(file)") else { throw OpenSSLFailed(file: file) }
    }
}

struct OpenSSLFailed: Error {
    let file: String
}
