import WaitingRoom

/// The settings of a queue that a body names; what it leaves out stays as it is.
struct QueueSettings {
    private var changes: [@Sendable (inout Queue) -> Void] = []
    /// What the body says of them; `nil` where it says nothing.
    fileprivate let opensAt: Timestamp??
    fileprivate let closesAt: Timestamp??

    init(_ fields: inout Fields) {
        func given<Value>(_ name: String, _ read: (inout Fields, String) -> Value) -> Value? {
            fields.has(name) ? read(&fields, name) : nil
        }
        opensAt = given("opens_at") { $0.optionalTime($1) }
        closesAt = given("closes_at") { $0.optionalTime($1) }
        set(\.opensAt, opensAt)
        set(\.closesAt, closesAt)
        set(\.preQueueOrder, fields.choice("pre_queue_order", of: Queue.PreQueueOrder.self))

        set(\.ratePerMinute, fields.rate("max_users_per_minute"))
        set(\.priority, given("priority") { $0.integer($1, 1...100, fallback: 1) })
        set(\.maximumActive, given("max_active_users") { $0.integer($1, 0...Queue.maximumCapacity, fallback: 0) })
        set(\.sessionSeconds, given("session_seconds") { $0.integer($1, Queue.sessionLengths, fallback: Queue.defaultSessionSeconds) })
        set(\.renewsSessions, given("session_renewal") { $0.flag($1, fallback: true) })
        set(
            \.waitTTLSeconds,
            given("wait_ttl_seconds") { $0.integer($1, 0...Queue.maximumWaitTTLSeconds, fallback: Queue.defaultWaitTTLSeconds) })

        set(\.state, fields.choice("state", of: Queue.State.self))
        set(\.activation, fields.choice("activation", of: Queue.Activation.self))
        set(\.onOutage, fields.choice("on_outage", of: Queue.OnOutage.self))
        set(\.isActive, given("is_active") { $0.flag($1, fallback: true) })

        set(\.uniqueVisitors, given("unique_visitors") { $0.flag($1, fallback: false) })
        set(\.invitations, fields.choice("invitations", of: Queue.Invitations.self))
        set(\.challenge, fields.choice("challenge", of: Queue.ChallengeKind.self))
        set(\.challengeBits, given("challenge_bits") { $0.integer($1, Queue.challengeBits, fallback: Queue.defaultChallengeBits) })

        let message = given("message") { $0.optionalText($1, length: 0...500) }
        set(\.message, message.map { $0.flatMap { $0.isEmpty ? nil : $0 } })
        set(\.redirectURL, given("redirect_url") { $0.optionalURL($1) })
        set(\.returnHosts, Self.hosts(&fields))
        set(\.language, fields.choice("lang", of: WebAssets.languageCodes))
        set(\.theme, fields.choice("theme", of: ["light", "dark", "auto"]))
    }

    private mutating func set<Value: Sendable>(_ setting: any WritableKeyPath<Queue, Value> & Sendable, _ value: Value?) {
        if let value { changes.append { $0[keyPath: setting] = value } }
    }

    @Sendable func apply(_ queue: inout Queue) {
        for change in changes { change(&queue) }
    }

    /// Host names as they stand in an address: `example.com`, `127.0.0.1`, `[::1]`, without scheme and path.
    private static func hosts(_ fields: inout Fields) -> [String]? {
        guard let hosts = fields.optionalTexts("return_hosts", most: 20, length: 1...255) else { return nil }
        guard hosts.allSatisfy({ !$0.contains("*") && WebURL.host(of: "https://\($0)") == $0.lowercased() }) else {
            fields.note("return_hosts", type: "host_parsing", "Every item should be a host name, such as example.com")
            return nil
        }
        return hosts.map { $0.lowercased() }
    }
}

extension Fields {
    /// Notes a closing that is not after the opening, whichever of the two the body changes.
    mutating func checkTimes(_ settings: QueueSettings, of queue: Queue?) {
        guard let opens = settings.opensAt ?? queue?.opensAt, let closes = settings.closesAt ?? queue?.closesAt, closes <= opens else {
            return
        }
        note(has("closes_at") ? "closes_at" : "opens_at", type: "value_error", "closes_at should be after opens_at")
    }
}
