/// One line of people and how it is let in.
package struct Queue: Sendable, Equatable {
    package let id: Identifier
    package let keys: QueueKeys
    package let tenant: Identifier
    package let slug: String
    package var name: String
    /// People let in per minute; 0 = by hand only. Fractions are allowed: 0.5 is one every two minutes.
    package var ratePerMinute: Double
    package var state: State
    package var priority: Int
    /// Seconds of silence after which a waiting visitor is given up; 0 = never.
    package var waitTTLSeconds: Int
    package var redirectURL: String?
    /// Hosts that addresses to return to may name, and their sub-domains; empty = the tenant's domain.
    package var returnHosts: [String]
    /// Visitor ids are secrets: one place for each.
    package var uniqueVisitors: Bool
    /// A line of text from the operator on every waiting screen.
    package var message: String?
    package var language: String
    package var theme: String
    /// Which life of the queue this is. Tickets of another are not good. It is 1: no operation begins another life yet, but whoever raises
    /// it in Redis voids all tickets.
    package var epoch: Int32
    package let created: Timestamp
    package var isActive: Bool
    package var isDeleted: Bool
    /// Anybody may join and look on; otherwise it takes the desk's key.
    package var isPublic = true
    /// Minutes that a customer takes at the desk, until some were served.
    package var averageServiceMinutes = 4.0
    /// How lists and screens that anybody may see show names.
    package var names = Names.full
    /// What the forecast of waiting times rests on.
    package var etaModel = ETAModel.pace
    package var onOutage = OnOutage.hold
    /// How long somebody who was let in may stay, and their pass is good.
    package var sessionSeconds = defaultSessionSeconds
    /// Whether each check of a pass lets its session last as long again.
    package var renewsSessions = true
    /// How many people may be inside at once: nobody is let in by the rate while as many sessions last; 0 = any number.
    package var maximumActive = 0
    package var activation = Activation.always
    /// Before it nobody is let in; `nil` for no such time.
    package var opensAt: Timestamp?
    /// From then on nobody joins; `nil` for no such time.
    package var closesAt: Timestamp?
    package var preQueueOrder = PreQueueOrder.shuffle
    /// Which opening this is, from 1 on: each draws anew.
    package internal(set) var opening = 1
    /// The latest opening that has been, whose lots everybody may know; 0 for none.
    package internal(set) var opened = 0
    /// What ``Shuffle/commitment`` says of this opening's lots; `nil` for a queue from a version without openings, until it has one.
    package internal(set) var shuffleCommitment: String?
    /// What a join has to bring.
    package var challenge = ChallengeKind.none
    /// Of a ``Challenge``.
    package var challengeBits = defaultChallengeBits
    package var invitations = Invitations.none
    /// ``AdminKey/hash`` of the desk's key; `nil` for a queue that nobody has claimed.
    package var adminKeyHash: String?

    /// What gateways do for visitors while Redis is away.
    package enum OnOutage: String, Sendable, CaseIterable {
        /// Nobody is let in.
        case hold
        /// The few who were next in line are let in, within the rate (`lease-4.lua`).
        case lease
    }

    package enum State: String, Sendable, CaseIterable {
        case open
        /// The line grows, and nobody is let in but by hand.
        case paused
        /// Everybody goes in: those in line first, then each who comes, at once.
        case passthrough
        /// Nobody joins any more; those in line are let in.
        case closed
    }

    package enum ChallengeKind: String, Sendable, CaseIterable {
        case none
        /// A solved ``Challenge``.
        case proofOfWork = "proof_of_work"
    }

    package enum Invitations: String, Sendable, CaseIterable {
        case none
        /// An ``Invitation`` of the site.
        case required
    }

    /// Whether a join has to bring anything.
    package var asksProof: Bool { challenge != .none || invitations != .none }

    /// When people have to wait at all.
    package enum Activation: String, Sendable, CaseIterable {
        case always
        /// Only beyond the rate and the capacity: while nobody waits and both have room, whoever comes goes in at once.
        case threshold
    }

    /// In which order those go who came before the opening. Who comes later stands behind them in any case.
    package enum PreQueueOrder: String, Sendable, CaseIterable {
        /// By lot (``Shuffle``).
        case shuffle
        /// As they came.
        case fifo
    }

    /// The rate at which people are let in as things are: none while paused or switched off.
    package var currentRatePerMinute: Double {
        guard isActive, state != .paused else { return 0 }
        return state == .passthrough ? Self.passthroughRatePerMinute : ratePerMinute
    }

    /// The rate at which somebody would be let in now who waited: none before the opening, or with as many inside as may be.
    package func askedRatePerMinute(active: Int) -> Double {
        if state == .passthrough { return isActive ? ratePerMinute : 0 }
        return isOpen() && (maximumActive == 0 || active < maximumActive) ? currentRatePerMinute : 0
    }

    /// Whether places are drawn by lot, so that nobody has one yet.
    package func isDrawing(at now: Timestamp = .now()) -> Bool { preQueueOrder == .shuffle && !isOpen(at: now) }

    /// Whether the time of the opening has come, if there is one.
    package func isOpen(at now: Timestamp = .now()) -> Bool { opensAt.map { $0 <= now } ?? true }

    /// Whether a join is to be tried as one that may go in at once, or needs a lot (`enter-14.lua`).
    var takesSpecialJoins: Bool { state == .passthrough || activation == .threshold || (opensAt != nil && preQueueOrder == .shuffle) }

    package enum Names: String, Sendable, CaseIterable { case full, initials, hidden }

    package enum ETAModel: String, Sendable, CaseIterable {
        /// The time between one served and the next.
        case pace
        /// The time from joining to being served, waiting included: the formula of the first MicroQ.
        case waitAverage = "wait_average"
    }

    package static let defaultRatePerMinute = 10.0
    /// The slowest rate but 0, one person a week, and the fastest.
    package static let rates = 0.0001...1_000_000.0
    /// As fast as workers let people through; what is told of waiting times then rests on it.
    package static let passthroughRatePerMinute = 60_000.0
    package static let maximumCapacity = 100_000_000
    package static let defaultChallengeBits = 18
    /// Those of one or two seconds of a fast machine, and more than anybody would wait for.
    package static let challengeBits = 1...32
    package static let defaultWaitTTLSeconds = 600
    package static let defaultSessionSeconds = 600
    package static let sessionLengths = 1...86_400
    /// Signs of life are kept modulo 36 hours (`place.lua`), of which half may pass.
    package static let maximumWaitTTLSeconds = 64_800
}

extension Queue {
    init?(id: Identifier, fields: [String: String]) {
        guard let tenant = fields["tenant"].flatMap(Identifier.init(compact:)), let slug = fields["slug"], let name = fields["name"] else {
            return nil
        }
        func text(_ key: String) -> String? { fields[key].flatMap { $0.isEmpty ? nil : $0 } }
        self.id = id
        keys = QueueKeys(id)
        self.tenant = tenant
        self.slug = slug
        self.name = name
        ratePerMinute = fields["rate"].flatMap(Double.init) ?? 0
        state = fields["state"].flatMap(State.init(rawValue:)) ?? .open
        priority = fields["priority"].flatMap(Int.init) ?? 1
        waitTTLSeconds = fields["wait_ttl"].flatMap(Int.init) ?? Self.defaultWaitTTLSeconds
        redirectURL = text("redirect_url")
        returnHosts = text("return_hosts").map { $0.split(separator: " ").map(String.init) } ?? []
        uniqueVisitors = fields["unique_visitors"] == "1"
        message = text("message")
        language = text("lang") ?? "en"
        theme = text("theme") ?? "light"
        epoch = fields["epoch"].flatMap(Int32.init) ?? 1
        created = Timestamp(milliseconds: fields["created_at"].flatMap(Int64.init) ?? 0)
        // "active" is what the scripts read, so a deleted queue has it off as well; "enabled" is what its owner set.
        isActive = fields["enabled"] == "1"
        isDeleted = fields["deleted"] == "1"
        isPublic = fields["public"] != "0"
        averageServiceMinutes = fields["avg_service_minutes"].flatMap(Double.init) ?? 4
        names = fields["names"].flatMap(Names.init(rawValue:)) ?? .full
        onOutage = fields["on_outage"].flatMap(OnOutage.init(rawValue:)) ?? .hold
        sessionSeconds = fields["session_seconds"].flatMap(Int.init) ?? Self.defaultSessionSeconds
        renewsSessions = fields["session_renewal"] != "0"
        etaModel = fields["eta_model"].flatMap(ETAModel.init(rawValue:)) ?? .pace
        func time(_ key: String) -> Timestamp? { fields[key].flatMap { Int64($0) }.map(Timestamp.init(milliseconds:)) }
        maximumActive = fields["max_active"].flatMap(Int.init) ?? 0
        activation = fields["activation"].flatMap(Activation.init(rawValue:)) ?? .always
        opensAt = time("opens_at")
        closesAt = time("closes_at")
        preQueueOrder = fields["pre_queue_order"].flatMap(PreQueueOrder.init(rawValue:)) ?? .shuffle
        opening = fields["opening"].flatMap(Int.init) ?? 1
        opened = fields["opened"].flatMap(Int.init) ?? 0
        shuffleCommitment = text("shuffle_commitment")
        challenge = fields["challenge"].flatMap(ChallengeKind.init(rawValue:)) ?? .none
        challengeBits = fields["challenge_bits"].flatMap(Int.init) ?? Self.defaultChallengeBits
        invitations = fields["invitations"].flatMap(Invitations.init(rawValue:)) ?? .none
        adminKeyHash = text("admin_key")
    }

    var fields: [(String, String)] {
        func text(_ time: Timestamp?) -> String { time.map { String($0.milliseconds) } ?? "" }
        var fields = [
            ("tenant", tenant.compact), ("slug", slug), ("name", name), ("rate", "\(ratePerMinute)"), ("state", state.rawValue),
            ("priority", String(priority)),
            ("wait_ttl", String(waitTTLSeconds)), ("redirect_url", redirectURL ?? ""), ("return_hosts", returnHosts.joined(separator: " ")),
            ("unique_visitors", uniqueVisitors ? "1" : "0"), ("message", message ?? ""), ("lang", language), ("theme", theme),
            ("epoch", String(epoch)), ("created_at", String(created.milliseconds)), ("enabled", isActive ? "1" : "0"),
            ("active", isActive && !isDeleted ? "1" : "0"), ("deleted", isDeleted ? "1" : "0"), ("public", isPublic ? "1" : "0"),
            ("avg_service_minutes", "\(averageServiceMinutes)"), ("names", names.rawValue), ("eta_model", etaModel.rawValue),
            ("on_outage", onOutage.rawValue), ("session_seconds", String(sessionSeconds)), ("session_renewal", renewsSessions ? "1" : "0"),
        ]
        fields += [
            ("max_active", String(maximumActive)), ("activation", activation.rawValue), ("opens_at", text(opensAt)),
            ("closes_at", text(closesAt)), ("pre_queue_order", preQueueOrder.rawValue), ("opening", String(opening)),
            ("opened", String(opened)),
            ("shuffle_commitment", shuffleCommitment ?? ""),
            ("challenge", challenge.rawValue), ("challenge_bits", String(challengeBits)), ("invitations", invitations.rawValue),
        ]
        // Without a key there is no field at all: that is what a claim looks at.
        if let adminKeyHash { fields.append(("admin_key", adminKeyHash)) }
        return fields
    }
}
