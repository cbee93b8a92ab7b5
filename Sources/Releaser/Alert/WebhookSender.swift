import WaitingRoom

/// Posts alerts to an address of Slack or Teams, or any other that takes JSON with a `text`.
struct WebhookSender: AlertChannel {
    let name = "webhook"
    let timeLimit: Duration
    /// Holds a secret: it is in no error and no log.
    private let url: String
    private let sender: CallbackSender

    /// - Parameter clients: those of the callbacks; here private addresses are allowed, since the operator chose this one.
    init(url: String, clients: CallbackClients, timeoutSeconds: Int = 10) {
        self.url = url
        timeLimit = .seconds(timeoutSeconds)
        sender = CallbackSender(addresses: AddressGuard(allowsPrivate: true), clients: clients, timeoutSeconds: timeoutSeconds)
    }

    func send(_ alert: Alert) async throws(AlertFailure) {
        let body = Self.isTeams(url) ? Self.card(alert) : Self.plain(alert)
        switch await sender.send(body.text, to: url, headers: []) {
        case .delivered: break
        case .failed(let error, _, let retryAfter, _): throw AlertFailure(reason: error, retryAfter: retryAfter)
        }
    }

    /// Whether an address is one of those that Teams gives out for channels and workflows.
    static func isTeams(_ url: String) -> Bool {
        let host = WebURL.host(of: url) ?? ""
        return [".webhook.office.com", ".logic.azure.com", ".api.powerplatform.com"].contains { host.hasSuffix($0) }
    }

    /// What Slack and most others take (Slack manual, "Formatting text for app surfaces": three characters are escaped, so that no name
    /// becomes a mention or a link).
    static func plain(_ alert: Alert) -> JSON {
        let text = "\(alert.title)\n\(alert.text)"
        let escaped = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
        return ["text": .string(escaped)]
    }

    /// A message with one adaptive card. Its text is in runs, which are shown as they are: text blocks would read names as Markdown.
    static func card(_ alert: Alert) -> JSON {
        func block(_ line: some StringProtocol, weight: JSON) -> JSON {
            ["type": "RichTextBlock", "inlines": [["type": "TextRun", "text": .string(String(line)), "weight": weight]]]
        }
        let card: JSON = [
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
            "body": .array([block(alert.title, weight: "Bolder")] + alert.text.split(separator: "\n").map { block($0, weight: "Default") }),
            "actions": [["type": "Action.OpenUrl", "title": "Open Anteroom", "url": .string(alert.page)]],
        ]
        return [
            "type": "message",
            "attachments": [
                ["contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card]
            ],
        ]
    }
}
