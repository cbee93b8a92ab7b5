/// A customer of the service with queues of its own; an *application* in the QMS dialect.
package struct Tenant: Sendable, Equatable {
    package let id: Identifier
    package let slug: String
    package var name: String
    package var domain: String
    package var callbackURL: String?
    /// A callback address that answered 410: while it is ``callbackURL``, nothing is sent there (Standard Webhooks, "Deliverability").
    package var goneCallbackURL: String?
    package var redirectURL: String?
    /// Can join and nothing else: it is in every browser.
    package var apiKey: String
    /// The key that signs callbacks and acts as the tenant's administrator, sealed (``SecretKey/seal(_:)``).
    package var sealedSecret: String
    /// Keys that were rotated away and still work until a moment.
    package var previous: PreviousKeys?
    package let created: Timestamp
    package var isActive: Bool
    /// Deleted tenants are kept, hidden, so that what their queues did stays accountable.
    package var isDeleted: Bool
    /// People that all its queues together let in per minute, shared by their priorities; `nil` for as many as the queues' own rates make.
    package var ratePerMinute: Double?

    package struct PreviousKeys: Sendable, Equatable {
        package let apiKey: String
        package let sealedSecret: String
        package let until: Timestamp
    }

    /// Whether callbacks are owed to an address that wants none.
    package var callbacksAreRefused: Bool { callbackURL != nil && callbackURL == goneCallbackURL }
}

extension Tenant {
    init?(id: Identifier, fields: [String: String]) {
        guard let slug = fields["slug"], let name = fields["name"], let apiKey = fields["api_key"], let secret = fields["secret"] else {
            return nil
        }
        self.id = id
        self.slug = slug
        self.name = name
        domain = fields["domain"] ?? ""
        callbackURL = fields["callback_url"].flatMap { $0.isEmpty ? nil : $0 }
        goneCallbackURL = fields["gone_callback_url"].flatMap { $0.isEmpty ? nil : $0 }
        redirectURL = fields["redirect_url"].flatMap { $0.isEmpty ? nil : $0 }
        ratePerMinute = fields["rate"].flatMap(Double.init)
        self.apiKey = apiKey
        sealedSecret = secret
        if let old = fields["old_api_key"], let oldSecret = fields["old_secret"], let until = fields["old_until"].flatMap(Int64.init) {
            previous = PreviousKeys(apiKey: old, sealedSecret: oldSecret, until: Timestamp(milliseconds: until))
        }
        created = Timestamp(milliseconds: fields["created_at"].flatMap(Int64.init) ?? 0)
        isActive = fields["active"] == "1"
        isDeleted = fields["deleted"] == "1"
    }

    var fields: [(String, String)] {
        var fields = [
            ("slug", slug), ("name", name), ("domain", domain), ("callback_url", callbackURL ?? ""),
            ("gone_callback_url", goneCallbackURL ?? ""),
            ("redirect_url", redirectURL ?? ""), ("rate", ratePerMinute.map { "\($0)" } ?? ""),
            ("api_key", apiKey), ("secret", sealedSecret), ("created_at", String(created.milliseconds)),
            ("active", isActive ? "1" : "0"), ("deleted", isDeleted ? "1" : "0"),
        ]
        if let previous {
            fields += [
                ("old_api_key", previous.apiKey), ("old_secret", previous.sealedSecret), ("old_until", String(previous.until.milliseconds)),
            ]
        }
        return fields
    }
}
