import CCurl
import Glibc
import NIOPosix
import WaitingRoom

/// Sends alerts by SMTP.
///
/// Certificates are always verified, against the system's authorities and those of the file that the environment variable `SSL_CERT_FILE`
/// names, if it is set, as it is for OpenSSL's own programs.
struct MailSender: AlertChannel {
    let name = "mail"
    let timeLimit = Duration.seconds(30)
    private let mail: ServiceConfiguration.Mail
    private let authorities: String?

    /// libcurl waits in the calling thread, so it has one of its own; mails go one after the other.
    private static let thread = NIOThreadPool._makePerpetualStartedPool(numberOfThreads: 1, threadNamePrefix: "mail")
    private static let connectSeconds = 10
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_SSL)) == CURLE_OK

    init(_ mail: ServiceConfiguration.Mail, authorities: String? = getenv("SSL_CERT_FILE").map { String(cString: $0) }) {
        self.mail = mail
        self.authorities = authorities
    }

    func send(_ alert: Alert) async throws(AlertFailure) {
        let message = MailMessage(alert, from: mail.sender, to: mail.recipient, seconds: Timestamp.now().milliseconds / 1000)
        let problem: String?
        do {
            problem = try await Self.thread.runIfActive { deliver(Array(message.text.utf8)) }
        } catch {
            problem = "the thread for mail has ended"
        }
        if let problem { throw AlertFailure(reason: problem) }
    }

    /// - Returns: what went wrong, in libcurl's words; they hold no password.
    private func deliver(_ message: [UInt8]) -> String? {
        guard Self.isReady, let handle = curl_easy_init() else { return "libcurl cannot start" }
        defer { curl_easy_cleanup(handle) }
        let recipients = curl_slist_append(nil, mail.recipient)
        defer { curl_slist_free_all(recipients) }
        var (message, complaint) = (message, [CChar](repeating: 0, count: Int(CURL_ERROR_SIZE)))
        let code = message.withUnsafeMutableBytes { message in
            complaint.withUnsafeMutableBufferPointer { complaint in
                // libcurl reads what it is to send by fread, unless told otherwise.
                guard let file = fmemopen(message.baseAddress, message.count, "r") else { return CURLE_OUT_OF_MEMORY }
                defer { fclose(file) }
                let settings =
                    self.settings(handle) + [
                        curl_set_list(handle, CURLOPT_MAIL_RCPT, recipients), curl_set_file(handle, CURLOPT_READDATA, file),
                        curl_set_buffer(handle, CURLOPT_ERRORBUFFER, complaint.baseAddress),
                    ]
                // A setting that libcurl does not know may be the one that asks for TLS.
                return settings.first { $0 != CURLE_OK } ?? curl_easy_perform(handle)
            }
        }
        guard code != CURLE_OK else { return nil }
        let text = String(decoding: complaint.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return text.isEmpty ? String(cString: curl_easy_strerror(code)) : text
    }

    private func settings(_ handle: UnsafeMutableRawPointer) -> [CURLcode] {
        var settings = [
            curl_set_text(handle, CURLOPT_URL, "\(mail.security == .tls ? "smtps" : "smtp")://\(mail.host):\(mail.port)"),
            curl_set_number(handle, CURLOPT_USE_SSL, Int((mail.security == .opportunistic ? CURLUSESSL_TRY : CURLUSESSL_ALL).rawValue)),
            curl_set_number(handle, CURLOPT_SSL_VERIFYPEER, 1), curl_set_number(handle, CURLOPT_SSL_VERIFYHOST, 2),
            curl_set_text(handle, CURLOPT_MAIL_FROM, mail.sender), curl_set_number(handle, CURLOPT_UPLOAD, 1),
            curl_set_number(handle, CURLOPT_CONNECTTIMEOUT, Self.connectSeconds),
            curl_set_number(handle, CURLOPT_TIMEOUT, Int(timeLimit.components.seconds)),
            // libcurl would use signals for its time limits, which a program of many threads must not.
            curl_set_number(handle, CURLOPT_NOSIGNAL, 1),
        ]
        if let authorities { settings.append(curl_set_text(handle, CURLOPT_CAINFO, authorities)) }
        if let credentials = mail.credentials {
            settings += [
                curl_set_text(handle, CURLOPT_USERNAME, credentials.user), curl_set_text(handle, CURLOPT_PASSWORD, credentials.password),
            ]
        }
        return settings
    }
}
