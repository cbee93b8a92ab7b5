import NIOCore
import NIOSSL

/// How connections are encrypted, and whom they believe. The server's certificate is always verified, its name or address included.
package struct RedisTLS: Sendable {
    /// PEM files.
    package struct Files: Sendable {
        /// Certificates of the authorities that are believed; the system's by default.
        package var authorities: String?
        /// A client's certificate, with those between it and its authority, and its key.
        package var certificate: String?
        package var key: String?

        package init(authorities: String? = nil, certificate: String? = nil, key: String? = nil) {
            self.authorities = authorities
            self.certificate = certificate
            self.key = key
        }
    }

    /// A file that is of no use.
    package enum FileError: Error, Equatable {
        case authorities, certificate, key
    }

    private let context: NIOSSLContext
    private let serverName: String?

    /// - Parameter serverName: the name that the certificate must be for; by default the host or address connected to.
    /// - Throws: ``FileError``.
    package init(_ files: Files = Files(), serverName: String? = nil) throws(FileError) {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let file = files.authorities {
            configuration.trustRoots = .certificates(try Self.certificates(file, .authorities))
        }
        if let file = files.certificate {
            configuration.certificateChain = try Self.certificates(file, .certificate).map { .certificate($0) }
        }
        if let file = files.key {
            guard let key = try? NIOSSLPrivateKey(file: file, format: .pem) else { throw .key }
            configuration.privateKey = .privateKey(key)
        }
        guard let context = try? NIOSSLContext(configuration: configuration) else { throw files.key == nil ? .authorities : .key }
        self.context = context
        self.serverName = serverName
    }

    private static func certificates(_ file: String, _ error: FileError) throws(FileError) -> [NIOSSLCertificate] {
        guard let certificates = try? NIOSSLCertificate.fromPEMFile(file), !certificates.isEmpty else { throw error }
        return certificates
    }

    func makeHandler(for endpoint: RedisConfiguration.Endpoint) throws -> NIOSSLClientHandler {
        guard case .tcp(let host, let port) = endpoint else { return try NIOSSLClientHandler(context: context, serverHostname: serverName) }
        // An address cannot be sent as a name, but is verified all the same.
        let isAddress = (try? SocketAddress(ipAddress: host, port: port)) != nil
        return try NIOSSLClientHandler(context: context, serverHostname: serverName ?? (isAddress ? nil : host))
    }

    /// What an operator can do about `error`, where that is known.
    static func explain(_ error: any Error) -> String {
        if let error = error as? NIOSSLExtraError, error == .failedToValidateHostname {
            return "its certificate is for another name: name that one in REDIS_URL, or in REDIS_SERVER_NAME"
        }
        let text = "\(error)"
        return explanations.first { text.contains($0.sign) }?.words ?? text
    }

    private static let explanations = [
        (
            sign: "CERTIFICATE_VERIFY_FAILED",
            words: "its certificate is not signed by an authority that is believed here, or is out of date: see REDIS_CA_FILE"
        ),
        (sign: "CERTIFICATE_REQUIRED", words: "it wants a client certificate: see REDIS_CERT_FILE and REDIS_KEY_FILE"),
        (sign: "WRONG_VERSION_NUMBER", words: "it does not speak TLS on this port: see the port in REDIS_URL"),
        (sign: "uncleanShutdown", words: "the connection was closed"),
    ]
}
