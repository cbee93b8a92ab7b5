import Foundation
import TestSupport
import Testing
import WaitingRoom

@testable import Releaser

@Suite("Alert, MailMessage, WebhookSender")
struct AlertMessageTests {
    private func incident(
        _ kind: Incident.Kind = .queueTooLong, _ state: Incident.State = .open, name: String = "Drop", value: Int = 120,
        detail: String = "100"
    ) -> Incident {
        Incident(
            kind: kind, state: state, queue: kind == .redisUnwell ? nil : Identifier(compact: String(repeating: "A", count: 22)),
            queueName: name, since: Timestamp(milliseconds: 1_795_226_716_133),
            until: state == .open ? nil : Timestamp(milliseconds: 1_795_230_316_133), value: value, detail: detail)
    }

    private func alert(_ incident: Incident) -> Alert { Alert(incident, publicURL: "https://wait.example") }

    private func mail(_ incident: Incident) -> [String] {
        MailMessage(alert(incident), from: "bot@mail.example", to: "ann@example.com", seconds: 1_795_226_720).text
            .components(separatedBy: "\r\n")
    }

    /// The text of a header of encoded words, decoded.
    private func decoded(_ lines: [String]) -> String? {
        var bytes = Data()
        for line in lines {
            let word = line.trimmingCharacters(in: .whitespaces)
            guard word.utf8.count <= 75, word.hasPrefix("=?utf-8?B?"), word.hasSuffix("?="),
                let part = Data(base64Encoded: String(word.dropFirst(10).dropLast(2))), String(bytes: part, encoding: .utf8) != nil
            else { return nil }
            bytes += part
        }
        return String(bytes: bytes, encoding: .utf8)
    }

    @Test("each kind says what happened, how much, and where to go")
    func texts() {
        let long = alert(incident())
        #expect(long.title == "120 people wait in \"Drop\"")
        #expect(long.text.contains("threshold of 100 (QUEUE_THRESHOLD) since 2026-11-21 02:05 UTC"))
        #expect(long.page.hasPrefix("https://wait.example/admin/queues/") && long.text.contains(long.page))
        let failing = alert(incident(.callbacksFailing, value: 3, detail: "HTTP 500"))
        #expect(failing.page.hasPrefix("https://wait.example/admin/callbacks?queue_id="))
        #expect(failing.text.contains("3 callbacks were given up") && failing.text.contains("HTTP 500"))
        #expect(alert(incident(.callbacksFailing, value: 1, detail: "x")).text.contains("1 callback was"))
        let stalled = alert(incident(.releaseStalled, value: 12, detail: "185 60.0"))
        #expect(stalled.text.contains("12 people wait at a rate of 60 a minute, but nobody has been let in for 3 minutes"))
        #expect(alert(incident(.redisUnwell, detail: "Redis is full.")).text.hasPrefix("Redis is full."))
        for kind in Incident.Kind.allCases {
            let end = alert(incident(kind, .resolved))
            #expect(end.title.hasPrefix("Resolved: "))
            #expect(end.text == "It began 2026-11-21 02:05 UTC and was over 2026-11-21 03:05 UTC.")
            #expect(end.beginning == alert(incident(kind)).id)
            #expect(end.id != end.beginning)
        }
    }

    @Test("a mail has the headers of RFC 5322, its text as UTF-8 in base64, and no line that is too long")
    func mail() throws {
        let lines = mail(incident(name: "Größe ✓"))
        #expect(lines.contains("Date: Sat, 21 Nov 2026 02:05:20 +0000"))
        #expect(lines.contains("From: Anteroom <bot@mail.example>"))
        #expect(lines.contains("To: <ann@example.com>"))
        #expect(lines.contains("Message-ID: <queue_too_long.AAAAAAAAAAAAAAAAAAAAAA.1795226716133.open@mail.example>"))
        #expect(lines.contains("Auto-Submitted: auto-generated"))
        #expect(lines.allSatisfy { ($0.utf8.count <= 76 || $0.hasPrefix("Message-ID:")) && $0.utf8.allSatisfy { $0 < 0x7F } })
        let head = try #require(lines.firstIndex(of: ""))
        let body = try #require(Data(base64Encoded: lines[head...].joined()))
        #expect(String(bytes: body, encoding: .utf8)?.hasPrefix("120 people wait in \"Größe ✓\"\r\n\r\nThe line is longer") == true)
        #expect(mail(incident(.queueTooLong, .resolved)).filter { $0.contains("1795226716133.open@mail.example>") }.count == 2)
    }

    @Test("a plain subject stays plain; any other is encoded words of whole characters", arguments: ["✓", "日本語の待合室", "e\u{301}", "=?"])
    func subjects(name: String) {
        #expect(mail(incident()).contains("Subject: [Anteroom] 120 people wait in \"Drop\""))
        let title = "120 people wait in \"" + String(repeating: name, count: 30) + "\""
        let words = MailMessage.unstructured(title).components(separatedBy: "\r\n")
        #expect(words.count > 1)
        #expect(decoded(words) == title)
    }

    @Test("a queue's name makes no header, no link and no mention")
    func injection() throws {
        let name = "x\r\nBcc: eve@example.com\u{0}\u{2028}<!channel> & [click](http://evil.example)"
        #expect(!mail(incident(name: name)).contains { $0.hasPrefix("Bcc") })
        #expect(!MailMessage.unstructured(name).contains("\nBcc"))
        #expect(!alert(incident(name: name)).title.contains { $0.isNewline || $0 == "\u{0}" })
        let plain = try #require(WebhookSender.plain(alert(incident(name: name)))["text"]?.string)
        #expect(plain.contains("&lt;!channel&gt; &amp; [click]"))
        // Runs of text are no Markdown, and stay as they are.
        let card = WebhookSender.card(alert(incident(name: name))).text
        #expect(card.contains("<!channel> & [click](http://evil.example)"))
        #expect(!card.contains("\"TextBlock\""))
    }

    @Test("a card for Teams' addresses, plain text for any other")
    func teams() {
        for host in ["x.webhook.office.com", "prod-1.westeurope.logic.azure.com:443", "a.b.environment.api.powerplatform.com"] {
            #expect(WebhookSender.isTeams("https://\(host)/workflows/1?sig=x"))
        }
        for host in ["hooks.slack.com", "logic.azure.com.evil.example", "evillogic.azure.com", "mattermost.example"] {
            #expect(!WebhookSender.isTeams("https://\(host)/x"))
        }
        let card = WebhookSender.card(alert(incident()))
        let attachment = card["attachments"]?.array?.first
        #expect(card["type"] == "message")
        #expect(attachment?["contentType"] == "application/vnd.microsoft.card.adaptive")
        #expect(attachment?["content"]?["type"] == "AdaptiveCard")
        #expect(attachment?["content"]?["body"]?.array?.count == 3)
        #expect(attachment?["content"]?["actions"]?.array?.first?["url"] == .string(alert(incident()).page))
    }

    @Test("pauses grow to a quarter of an hour, and are as long as the receiver asks within that")
    func pauses() {
        let pauses = (0..<7).map { AlertFailure(reason: "").pause(after: $0).components.seconds }
        #expect(pauses == [10, 40, 160, 640, 900, 900, 900])
        #expect(AlertFailure(reason: "", retryAfter: .seconds(30)).pause(after: 0) == .seconds(30))
        #expect(AlertFailure(reason: "", retryAfter: .seconds(86_400)).pause(after: 0) == .seconds(900))
        #expect(AlertFailure(reason: "").pause(after: 1000) == .seconds(900))
    }
}
