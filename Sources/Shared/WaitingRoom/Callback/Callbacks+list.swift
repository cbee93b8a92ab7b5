package import Redis

/// What became of a callback so far.
package struct CallbackStatus: Sendable, Equatable {
    package enum State: String, Sendable, CaseIterable { case pending, delivered, dead }

    package let state: State
    package let attempts: Int
    /// Of the last answer; `nil` when there was none.
    package let lastStatus: Int?
    /// What went wrong last; `nil` when nothing did, and once it is delivered.
    package let lastError: String?
    /// When the next attempt is due, or when it was delivered or given up.
    package let time: Timestamp

    /// - Parameter values: state, attempts, status, error and ms, as `callback.lua` answers them.
    init?(_ values: ArraySlice<RedisValue>) {
        let values = Array(values)
        guard values.count == 5, let state = values[0].string.flatMap(State.init(rawValue:)) else { return nil }
        self.init(state: state, Array(values.dropFirst()))
    }

    fileprivate init(state: State, _ values: [RedisValue]) {
        self.state = state
        attempts = Int(values[0].integer ?? 0)
        lastStatus = values[1].integer.flatMap { $0 == 0 ? nil : Int($0) }
        lastError = values[2].string.flatMap { $0.isEmpty ? nil : $0 }
        time = Timestamp(milliseconds: values[3].integer ?? 0)
    }
}

extension Callbacks {
    /// One of a list.
    package struct Listed: Sendable, Equatable {
        package let queue: Identifier
        package let entry: Identifier
        package let joined: Timestamp
        /// When it came to be owed.
        package let released: Timestamp
        package let status: CallbackStatus
    }

    /// Callbacks of a queue in one state (`list_callbacks-7.lua`): pending ones with the soonest due first, others with the latest first.
    package func list(_ queue: Identifier, _ state: CallbackStatus.State, limit: Int) async throws(RedisError) -> [Listed] {
        let keys = QueueKeys(queue)
        let reply = try await redis.evaluate(
            Scripts.listCallbacks,
            keys: [keys.outbox, keys.callbacks, keys.dead, keys.deadLetters, keys.deliveries, keys.entries, keys.ready],
            arguments: [.string(state.rawValue), .integer(Int64(limit))])
        let rows = reply.array ?? []
        return stride(from: 0, to: rows.count - 6, by: 7).compactMap { start in
            guard let entry = rows[start].string.flatMap(Identifier.init(compact:)) else { return nil }
            return Listed(
                queue: queue, entry: entry, joined: Timestamp(milliseconds: rows[start + 5].integer ?? 0),
                released: Timestamp(milliseconds: rows[start + 6].integer ?? 0),
                status: CallbackStatus(state: state, Array(rows[(start + 1)...(start + 4)])))
        }
    }

    /// Those of `queues` that may have callbacks in a state: one round trip, however many queues there are.
    package func holding(_ state: CallbackStatus.State, among queues: [Identifier]) async throws(RedisError) -> [Identifier] {
        let replies = try await redis.pipeline(
            queues.map { queue in
                let keys = QueueKeys(queue)
                let key =
                    switch state {
                    case .pending: keys.outbox
                    case .delivered: keys.deliveries
                    case .dead: keys.dead
                    }
                return RedisCommand("EXISTS", .string(key))
            })
        var found: [Identifier] = []
        for (queue, reply) in zip(queues, replies) where try reply.get().integer == 1 { found.append(queue) }
        return found
    }

    /// Makes the callbacks of these entries due now (`resend_callbacks-6.lua`): dead and delivered ones once more, pending ones at once.
    /// - Returns: how many there were.
    package func resend(_ entries: [Identifier], of queue: Identifier) async throws(RedisError) -> Int {
        guard !entries.isEmpty else { return 0 }
        let keys = QueueKeys(queue)
        let reply = try await redis.evaluate(
            Scripts.resendCallbacks, keys: [keys.outbox, keys.callbacks, keys.dead, keys.deadLetters, keys.entries, keys.deliveries],
            arguments: entries.map { .string($0.compact) })
        return Int(reply.integer ?? 0)
    }

    /// Makes all dead letters of a queue due now.
    /// - Returns: how many there were.
    package func resendDeadLetters(of queue: Identifier) async throws(RedisError) -> Int {
        let reply = try await redis.send(RedisCommand("ZRANGE", .string(QueueKeys(queue).dead), 0, -1))
        var left = (reply.array ?? []).compactMap { $0.string.flatMap(Identifier.init(compact:)) }[...]
        var count = 0
        while !left.isEmpty {
            count += try await resend(Array(left.prefix(Self.resendBatch)), of: queue)
            left = left.dropFirst(Self.resendBatch)
        }
        return count
    }

    private static var resendBatch: Int { 500 }
}
