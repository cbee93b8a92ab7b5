import Foundation
import Glibc
import WaitingRoom

/// An alert as a mail (RFC 5322), ready to be sent: lines end with CRLF, and all is ASCII.
struct MailMessage {
    let text: String

    /// - Parameters:
    ///   - sender: an address that was checked (``ServiceConfiguration/Mail``), as is `recipient`.
    ///   - seconds: when, since 1970.
    init(_ alert: Alert, from sender: String, to recipient: String, seconds: Int64) {
        let domain = sender.split(separator: "@").last.map(String.init) ?? "localhost"
        func id(_ id: String) -> String { "<\(id)@\(domain)>" }
        var headers = [
            ("Date", Self.date(seconds)), ("From", "Anteroom <\(sender)>"), ("To", "<\(recipient)>"),
            ("Subject", Self.unstructured("[Anteroom] \(alert.title)")), ("Message-ID", id(alert.id)),
        ]
        // Mail programs show the end beneath the beginning.
        if let beginning = alert.beginning { headers += [("In-Reply-To", id(beginning)), ("References", id(beginning))] }
        headers += [
            ("Auto-Submitted", "auto-generated"), ("MIME-Version", "1.0"), ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "base64"),
        ]
        let body = "\(alert.title)\r\n\r\n\(alert.text.replacing("\n", with: "\r\n"))\r\n"
        text =
            headers.map { "\($0): \($1)\r\n" }.joined() + "\r\n"
            + Data(body.utf8).base64EncodedString(options: [.lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed])
            + "\r\n"
    }

    /// The text of a header, on as many lines as it takes. What is not short and plain ASCII goes as encoded words (RFC 2047).
    static func unstructured(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } && text.utf8.count <= longestPlain && !text.contains("=?")
        if isPlain { return text }
        var words: [[UInt8]] = [[]]
        for character in text.unicodeScalars {
            // A character is not divided between two words; a line break here would begin another header.
            let bytes = Array((character.properties.generalCategory == .control ? " " : String(character)).utf8)
            if words[words.count - 1].count + bytes.count > longestWord { words.append([]) }
            words[words.count - 1] += bytes
        }
        return words.map { "=?utf-8?B?\(Data($0).base64EncodedString())?=" }.joined(separator: "\r\n ")
    }

    /// A line of a mail should have no more than 78 characters, the header's name included.
    private static let longestPlain = 60
    /// A line with an encoded word must have no more than 76: these bytes are 52 in base64, with 12 around them and the header's name
    /// before.
    private static let longestWord = 39

    private static func date(_ seconds: Int64) -> String {
        var (time, parts) = (time_t(seconds), tm())
        gmtime_r(&time, &parts)
        var text = [CChar](repeating: 0, count: 64)
        // The program keeps to the locale "C", whose names of days and months are those of the standard.
        let count = strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S +0000", &parts)
        return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
