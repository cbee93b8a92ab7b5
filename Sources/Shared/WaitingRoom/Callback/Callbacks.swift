package import Redis

/// The callbacks that a queue owes: claimed for a while, sent, settled. One that is claimed and never settled comes due again.
package struct Callbacks: Sendable {
    /// What came of one attempt.
    package enum Outcome: Sendable, Equatable {
        case delivered(status: Int)
        /// Nothing to send any more: the tenant has no address, or is gone.
        case dropped
        /// To be tried again after `delay`.
        case retry(delay: Duration, error: String, status: Int?)
        /// Given up: kept as a dead letter with what went wrong.
        case dead(error: String, status: Int?)
    }

    /// What is kept of a callback that was given up.
    package struct DeadLetter: Sendable, Equatable {
        package let callback: Callback
        package let tenant: Identifier
        package let died: Timestamp
        package let error: String
        package let lastStatus: Int?
    }

    /// The most dead letters kept of one queue; the oldest go first.
    package static let maximumDeadLetters = 10_000

    let redis: RedisClient

    package init(redis: RedisClient) { self.redis = redis }

    /// Claims callbacks of a queue that are due (`claim_callbacks-4.lua`).
    /// - Parameters:
    ///   - limit: the most to claim.
    ///   - lease: how long no other worker gets them; longer than an attempt may take.
    /// - Returns: them, when that was by Redis's clock, and how long until the next is due (`nil`: none is owed).
    package func claim(_ queue: Identifier, limit: Int, lease: Duration) async throws(RedisError) -> (
        callbacks: [Callback], at: Timestamp, next: Duration?
    ) {
        let keys = QueueKeys(queue)
        let reply = try await redis.evaluate(
            Scripts.claimCallbacks, keys: [keys.outbox, keys.entries, keys.callbacks, keys.deadLetters],
            arguments: [.integer(Int64(limit)), .integer(lease.milliseconds)])
        guard let values = reply.array, values.count == 3, let rows = values[1].array, let now = values[2].integer else {
            return ([], .now(), nil)
        }
        let callbacks = stride(from: 0, to: rows.count - 5, by: 6).compactMap { start -> Callback? in
            guard let id = rows[start].string.flatMap(Identifier.init(compact:)) else { return nil }
            return Callback(
                queue: queue, entry: id, sequence: rows[start + 1].integer ?? 0, visitor: rows[start + 5].string ?? "",
                joined: Timestamp(milliseconds: rows[start + 2].integer ?? 0),
                released: Timestamp(milliseconds: rows[start + 3].integer ?? 0), attempts: Int(rows[start + 4].integer ?? 0))
        }
        let next = values[0].integer ?? -1
        return (callbacks, Timestamp(milliseconds: now), next < 0 ? nil : .milliseconds(next))
    }

    /// Writes down how an attempt ended (`settle_callback-7.lua`).
    /// - Returns: `false` when another worker had settled it meanwhile.
    package func settle(_ callback: Callback, tenant: Identifier, _ outcome: Outcome) async throws(RedisError) -> Bool {
        let keys = QueueKeys(callback.queue)
        var (word, delay, problem, letter, lastStatus): (String, Int64, String, String, Int?) = ("delivered", 0, "", "", nil)
        switch outcome {
        case .delivered(let status): lastStatus = status
        case .dropped: word = "dropped"
        case .retry(let duration, let error, let status):
            (word, delay, problem, lastStatus) = ("retry", duration.milliseconds, error, status)
        case .dead(let error, let status):
            (word, problem, lastStatus) = ("dead", error, status)
            letter = Self.letter(callback, tenant: tenant, error: error, status: status).text
        }
        return try await redis.evaluate(
            Scripts.settleCallback,
            keys: [keys.outbox, keys.callbacks, keys.dead, keys.deadLetters, keys.counters, keys.entries, keys.deliveries],
            arguments: [
                .string(callback.entry.compact), .string(word), .integer(Int64(callback.attempts + 1)), .integer(delay), .string(problem),
                .string(letter), .integer(Int64(Self.maximumDeadLetters)), .integer(Int64(lastStatus ?? 0)),
            ]
        ).integer == 1
    }

    /// How many callbacks the queues named owe.
    package func owed(by queues: [Identifier]) async throws(RedisError) -> Int64 {
        var owed: Int64 = 0
        for reply in try await redis.pipeline(queues.map { RedisCommand("ZCARD", .string(QueueKeys($0).outbox)) }) {
            owed += try reply.get().integer ?? 0
        }
        return owed
    }

    /// Dead letters of the queues named, newest first.
    package func deadLetters(of queues: [Identifier], limit: Int) async throws(RedisError) -> [DeadLetter] {
        var letters: [DeadLetter] = []
        for queue in try await holding(.dead, among: queues) {
            let keys = QueueKeys(queue)
            let index = try await redis.send(
                RedisCommand("ZREVRANGE", .string(keys.dead), 0, .integer(Int64(limit - 1)), "WITHSCORES"))
            let values = index.array ?? []
            guard !values.isEmpty else { continue }
            let ids = stride(from: 0, to: values.count - 1, by: 2).compactMap { values[$0].string }
            let texts = try await redis.send(
                RedisCommand("HMGET", arguments: [.string(keys.deadLetters)] + ids.map(RedisArgument.string)))
            for (position, text) in (texts.array ?? []).enumerated() {
                guard let bytes = text.bytes, let json = try? JSONScanner.scan(bytes), let died = values[2 * position + 1].integer,
                    let letter = Self.deadLetter(json, queue: queue, id: ids[position], died: died)
                else { continue }
                letters.append(letter)
            }
        }
        return Array(letters.sorted { $0.died > $1.died }.prefix(limit))
    }

    private static func letter(_ callback: Callback, tenant: Identifier, error: String, status: Int?) -> JSON {
        [
            "tenant": .string(tenant.compact), "sequence": .integer(callback.sequence), "visitor": .string(callback.visitor),
            "joined": .integer(callback.joined.milliseconds), "released": .integer(callback.released.milliseconds),
            "attempts": .integer(callback.attempts + 1), "error": .string(error), "status": status.map { .integer($0) } ?? .null,
        ]
    }

    private static func deadLetter(_ json: JSON, queue: Identifier, id: String, died: Int64) -> DeadLetter? {
        func integer(_ key: String) -> Int64 {
            if case .integer(let value) = json[key] { value } else { 0 }
        }
        guard let entry = Identifier(compact: id), let tenant = json["tenant"]?.string.flatMap(Identifier.init(compact:)) else {
            return nil
        }
        let callback = Callback(
            queue: queue, entry: entry, sequence: integer("sequence"), visitor: json["visitor"]?.string ?? "",
            joined: Timestamp(milliseconds: integer("joined")), released: Timestamp(milliseconds: integer("released")),
            attempts: Int(integer("attempts")))
        let status = integer("status")
        return DeadLetter(
            callback: callback, tenant: tenant, died: Timestamp(milliseconds: died), error: json["error"]?.string ?? "",
            lastStatus: status == 0 ? nil : Int(status))
    }
}

extension Duration {
    /// Whole milliseconds, rounded down.
    package var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }

    package var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
