extension ServiceConfiguration {
    /// Who is told when something goes wrong, and what is too much.
    package struct Alerts: Sendable, Equatable {
        /// `nil` without `SMTP_HOST`.
        package let mail: Mail?
        /// Where a message is posted; holds a secret.
        package let webhookURL: String?
        package let queueThreshold: Int
    }

    /// The way by which mail goes out.
    package struct Mail: Sendable, Equatable {
        package enum Security: Sendable, Equatable {
            /// From the first byte on.
            case tls
            /// Begun in the clear; given up when the server does not change to TLS.
            case startTLS
            /// TLS if the server knows it. Only where there is no password to betray.
            case opportunistic
        }

        package struct Credentials: Sendable, Equatable {
            package let user: String
            package let password: String

            package init(user: String, password: String) {
                self.user = user
                self.password = password
            }
        }

        package let host: String
        package let port: Int
        package let credentials: Credentials?
        package let recipient: String

        package init(host: String, port: Int, credentials: Credentials?, recipient: String) {
            self.host = host
            self.port = port
            self.credentials = credentials
            self.recipient = recipient
        }

        /// Servers take mail from their own accounts only; where the user is no address, or there is none, it comes from the recipient.
        package var sender: String { credentials.flatMap { Self.isAddress($0.user) ? $0.user : nil } ?? recipient }

        package var security: Security {
            switch port {
            case 465: .tls
            case 587: .startTLS
            default: credentials == nil ? .opportunistic : .startTLS
            }
        }

        /// Whether `text` can stand as an address in a command and in a header: ASCII, with nothing that has a meaning there.
        static func isAddress(_ text: String) -> Bool {
            let parts = text.split(separator: "@", omittingEmptySubsequences: false)
            return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && text.utf8.count <= 254
                && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"<>(),;:\\\"[]".utf8.contains($0) }
        }
    }
}

extension ServiceConfiguration.Alerts {
    init(_ values: ConfigurationValues, adminEmail: String) throws {
        mail = try ServiceConfiguration.Mail(values, recipient: adminEmail)
        let address = values.text("WEBHOOK_URL")
        // Taken as it is: its last slash may matter.
        guard address.map(WebURL.isAbsolute) ?? true else {
            throw ConfigurationError("WEBHOOK_URL", held: address, expected: "an absolute http or https URL")
        }
        webhookURL = address
        queueThreshold = try values.integer("QUEUE_THRESHOLD", 1...1_000_000_000, fallback: 100)
    }
}

extension ServiceConfiguration.Mail {
    fileprivate init?(_ values: ConfigurationValues, recipient: String) throws {
        let port = try values.integer("SMTP_PORT", 1...65_535, fallback: 587)
        let (host, user, password) = (values.text("SMTP_HOST"), values.text("SMTP_USER"), values.text("SMTP_PASS"))
        switch (user, password) {
        case (.some, nil): throw ConfigurationError("SMTP_PASS", held: nil, expected: "the password of SMTP_USER")
        case (nil, .some): throw ConfigurationError("SMTP_USER", held: nil, expected: "whose password SMTP_PASS is")
        default: break
        }
        guard let host else {
            if user != nil { throw ConfigurationError("SMTP_HOST", held: nil, expected: "the mail server that SMTP_USER is for") }
            return nil
        }
        guard host.utf8.allSatisfy({ Self.hostCharacters.contains($0) }) else {
            throw ConfigurationError("SMTP_HOST", held: host, expected: "a host's name or IPv4 address alone; the port is SMTP_PORT")
        }
        guard Self.isAddress(recipient) else {
            throw ConfigurationError("ADMIN_EMAIL", held: recipient, expected: "an e-mail address to which alerts can go")
        }
        self.init(
            host: host, port: port, credentials: user.flatMap { user in password.map { .init(user: user, password: $0) } },
            recipient: recipient)
    }

    private static let hostCharacters = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_".utf8)
}

extension ServiceConfiguration.Alerts: CustomStringConvertible, CustomReflectable {
    package var description: String { "Alerts" }

    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension ServiceConfiguration.Mail.Credentials: CustomStringConvertible, CustomReflectable {
    package var description: String { user }

    package var customMirror: Mirror { Mirror(self, children: []) }
}
