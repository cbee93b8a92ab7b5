package import Redis

/// The incidents of the queues and of the service, and the notices of them that each channel is owed: claimed for a while, sent, settled.
/// They live in Redis, so that however many workers look and send, an incident is opened once and told once.
package struct Incidents: Sendable {
    /// What is too much.
    package struct Limits: Sendable {
        /// `QUEUE_THRESHOLD`.
        package var waiting: Int
        /// How long what is neither bad nor good must stay so to be over.
        package var calm = Duration.seconds(60)
        /// For how long a callback that was given up counts. ``Alert`` says so.
        package var callbackGivenUp = Duration.seconds(600)
        /// The shortest time without a release that may be a standstill.
        package var standstill = Duration.seconds(60)
        /// The pause between two looks that means that nobody looked.
        package var unwatched = Duration.seconds(30)
        /// How long releases wait after a loss (`REBUILD_SECONDS`).
        package var rebuild = Duration.seconds(30)

        package init(waiting: Int) { self.waiting = waiting }
    }

    /// How something does.
    package enum Level: String, Sendable { case bad, calm, good }

    /// What one look came to.
    package struct Look: Sendable, Equatable {
        /// Incidents that this call opened or resolved; no other call answers them.
        package let changes: [Incident]
        /// Whether one of the channels is owed a notice now.
        package let isOwed: Bool
    }

    /// What a channel is owed: to be told of one incident as it is now.
    package struct Notice: Sendable, Equatable {
        package let incident: Incident
        package let channel: String
        /// Attempts to send it that failed.
        package let attempts: Int
    }

    private let redis: RedisClient

    package init(redis: RedisClient) { self.redis = redis }

    // MARK: Looking

    /// Looks at how a queue does (`watch-9.lua`).
    /// - Parameters:
    ///   - isServed: whether workers look after it; not when its tenant is switched off.
    ///   - channels: the names of those that are to be told.
    package func watch(_ queue: Queue, isServed: Bool, limits: Limits, channels: [String]) async throws(RedisError) -> Look {
        let keys = queue.keys
        let reply = try await redis.evaluate(
            Scripts.watch,
            keys: [
                keys.settings, keys.waiting, keys.entries, keys.counters, keys.dead, keys.deadLetters, keys.incidents, keys.visitors,
                keys.sessions,
            ],
            arguments: [
                .integer(Int64(limits.waiting)), .integer(limits.calm.milliseconds), .integer(limits.callbackGivenUp.milliseconds),
                .integer(limits.standstill.milliseconds), .integer(limits.unwatched.milliseconds), isServed ? "1" : "0",
                .integer(limits.rebuild.milliseconds),
            ] + channels.map(RedisArgument.string))
        return Self.look(reply, of: queue)
    }

    /// Those of `queues` that may have an incident now, since people wait, callbacks were given up, or Redis lost people lately. One that
    /// has none of that can only have one that is over.
    package func conspicuous(_ queues: [Identifier], limits: Limits) async throws(RedisError) -> Set<Identifier> {
        let now = (try await redis.send(RedisCommand("TIME")).array?.first?.integer ?? 0) * 1000
        let keys = queues.map { QueueKeys($0) }
        let busy = try await redis.pipeline(keys.map { RedisCommand("EXISTS", .string($0.waiting), .string($0.dead)) })
        let lost = try await redis.pipeline(keys.map { RedisCommand("HGET", .string($0.counters), "lost_at") })
        var found: Set<Identifier> = []
        for (index, queue) in queues.enumerated() {
            let lostAt = try lost[index].get().integer ?? 0
            let isRebuilding = lostAt > 0 && now - lostAt < limits.rebuild.milliseconds + 1000
            if try busy[index].get().integer != 0 || isRebuilding { found.insert(queue) }
        }
        return found
    }

    /// Takes note of how a part of the service does that is no queue (`note_incident-1.lua`).
    /// - Parameter problem: what is wrong, in words.
    package func note(_ kind: Incident.Kind, _ level: Level, problem: String, limits: Limits, channels: [String])
        async throws(RedisError) -> Look
    {
        try await note(kind, level, problem: problem, calm: limits.calm, began: "", channels.map { ($0, "") })
    }

    /// Keeps an incident of which people were told while Redis could not hold it.
    /// - Parameter told: each channel, and whether it could be told.
    package func keep(_ incident: Incident, told: [String: Bool]) async throws(RedisError) {
        _ = try await note(
            incident.kind, .bad, problem: incident.detail, calm: .zero, began: String(incident.since.milliseconds),
            told.map { ($0, $1 ? incident.state.rawValue : "none") })
    }

    private func note(
        _ kind: Incident.Kind, _ level: Level, problem: String, calm: Duration, began: String, _ channels: [(name: String, told: String)]
    ) async throws(RedisError) -> Look {
        let reply = try await redis.evaluate(
            Scripts.noteIncident, keys: [CatalogueKeys.incidents],
            arguments: [
                .string(kind.rawValue), .string(level.rawValue), .string(problem), .integer(calm.milliseconds), .string(began),
            ] + channels.flatMap { [.string($0.name), .string($0.told)] })
        return Self.look(reply, of: nil)
    }

    private static func look(_ reply: RedisValue, of queue: Queue?) -> Look {
        let values = reply.array ?? []
        let changes = (values.last?.array ?? []).map { $0.string ?? "" }
        return Look(
            changes: stride(from: 0, to: changes.count - 5, by: 6).compactMap { incident(of: queue, Array(changes[$0..<$0 + 6])) },
            isOwed: values.first?.integer == 1)
    }

    // MARK: Telling

    /// Claims one notice that a channel is owed (`claim_notice-1.lua`).
    /// - Parameters:
    ///   - queue: of which queue; `nil` for the service as a whole.
    ///   - lease: how long no other worker gets it; longer than an attempt may take.
    package func claim(of queue: Queue?, channel: String, lease: Duration) async throws(RedisError) -> Notice? {
        let reply = try await redis.evaluate(
            Scripts.claimNotice, keys: [key(of: queue?.id)], arguments: [.string(channel), .integer(lease.milliseconds)])
        guard let values = reply.array, values.count == 7,
            let incident = Self.incident(of: queue, values.dropFirst().map { $0.string ?? "" })
        else { return nil }
        return Notice(incident: incident, channel: channel, attempts: Int(values[0].integer ?? 0))
    }

    /// Writes down how an attempt to send a notice ended (`settle_notice-1.lua`).
    /// - Parameter pause: how long to wait before the next attempt; `nil` when it was sent.
    package func settle(_ notice: Notice, retryAfter pause: Duration? = nil) async throws(RedisError) {
        let incident = notice.incident
        _ = try await redis.evaluate(
            Scripts.settleNotice, keys: [key(of: incident.queue)],
            arguments: [
                .string(incident.kind.rawValue), .string(notice.channel), .integer(incident.since.milliseconds),
                .string(pause == nil ? incident.state.rawValue : ""), .integer(pause?.milliseconds ?? 0),
            ])
    }

    // MARK: Listing

    /// The open incidents of the queues named, oldest first.
    package func open(of queues: [Queue]) async throws(RedisError) -> [Incident] { try await open(of: queues.map(Optional.some)) }

    /// The open incidents of the service as a whole.
    package func openOfService() async throws(RedisError) -> [Incident] { try await open(of: [nil]) }

    private func open(of queues: [Queue?]) async throws(RedisError) -> [Incident] {
        guard !queues.isEmpty else { return [] }
        let kinds = Incident.Kind.allCases
        let replies = try await redis.pipeline(
            queues.map { RedisCommand("HMGET", arguments: [.string(key(of: $0?.id))] + kinds.map { .string($0.rawValue) }) })
        var incidents: [Incident] = []
        for (queue, reply) in zip(queues, replies) {
            for (kind, record) in zip(kinds, try reply.get().array ?? []) {
                var fields = (record.string ?? "").split(separator: " ", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
                guard fields.count == 6 else { continue }
                // Since when it is calm is the scripts' alone.
                fields.remove(at: 3)
                guard let incident = Self.incident(of: queue, [kind.rawValue] + fields), incident.state == .open else { continue }
                incidents.append(incident)
            }
        }
        return incidents.sorted { $0.since < $1.since }
    }

    /// - Parameter fields: kind, state, since, until, value and detail, as `incident.lua` answers them.
    private static func incident(of queue: Queue?, _ fields: [String]) -> Incident? {
        guard let kind = Incident.Kind(rawValue: fields[0]), let state = Incident.State(rawValue: fields[1]), let since = Int64(fields[2]),
            let until = Int64(fields[3])
        else { return nil }
        return Incident(
            kind: kind, state: state, queue: queue?.id, queueName: queue?.name, since: Timestamp(milliseconds: since),
            until: until == 0 ? nil : Timestamp(milliseconds: until), value: Int(fields[4]) ?? 0, detail: fields[5])
    }

    private func key(of queue: Identifier?) -> String { queue.map { QueueKeys($0).incidents } ?? CatalogueKeys.incidents }
}
