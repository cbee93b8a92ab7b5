package import Redis

/// What became of a desk's step.
package enum DeskStep: Sendable, Equatable {
    /// The person as they are now.
    case done(Entry)
    /// There is nobody whom the step could be about: nobody waits, the desk has called nobody, or there is no such entry.
    case nobody
    /// The step does not fit what has become of the person meanwhile.
    case refused(Refusal)

    package enum Refusal: Sendable, Equatable {
        case waiting, called, served, noShow, transferred, left
        /// They are a website's visitor, who cannot be moved.
        case visitor
        /// The desk has called somebody else and not said what became of that.
        case busy
    }
}

/// One desk of a queue, and what it can do: each step is one script and one event, safe under any number of desks and workers at once.
package struct Desk: Sendable {
    let queues: Queues
    let queue: Identifier
    /// "" for a desk without a name.
    let name: String

    /// Serves whom this desk has called, and calls the first in line, or the first who asked for `serviceType` (`call-16.lua`).
    package func call(serviceType: Identifier? = nil) async throws(RedisError) -> DeskStep {
        try await step(Scripts.call, nil, [.string("rk"), .string(serviceType?.compact ?? "")])
    }

    /// Calls and serves in one step (`call-16.lua`).
    package func serveNext(serviceType: Identifier? = nil) async throws(RedisError) -> DeskStep {
        try await step(Scripts.call, nil, [.string("r"), .string(serviceType?.compact ?? "")])
    }

    /// Calls somebody once more. `entry` is whom this desk called last when it is `nil`, here and below.
    package func recall(_ entry: Identifier? = nil) async throws(RedisError) -> DeskStep { try await step(Scripts.recall, entry) }

    /// Is done with somebody who was called.
    package func serve(_ entry: Identifier? = nil) async throws(RedisError) -> DeskStep { try await step(Scripts.serve, entry) }

    /// Gives up on somebody who was called and did not come.
    package func noShow(_ entry: Identifier? = nil) async throws(RedisError) -> DeskStep { try await step(Scripts.noShow, entry) }

    /// Puts somebody who was called, or did not come, back at the place they had.
    package func `return`(_ entry: Identifier? = nil) async throws(RedisError) -> DeskStep { try await step(Scripts.return, entry) }

    /// Moves somebody to another service type, or to none; they keep their place.
    package func transfer(_ entry: Identifier? = nil, to type: ServiceType?) async throws(RedisError) -> DeskStep {
        try await step(Scripts.transfer, entry, [.string(WalkIn.tail(type))])
    }

    /// Sends somebody to another queue, where they join the end of the line.
    package func transfer(_ entry: Identifier? = nil, to target: Queue) async throws(RedisError) -> DeskStep {
        let step = try await handOver(entry, to: "\(target.id.compact):\(Identifier.random().compact)", as: "to")
        try await queues.completeTransfers(from: queue)
        return step
    }

    /// Takes back this desk's last step, once.
    package func undo() async throws(RedisError) -> DeskStep {
        let reply = try await evaluate(Scripts.undo, nil)
        guard let values = reply.array, values.count == 4, values[0].integer == 2,
            let mine = values[1].string.flatMap(Identifier.init(compact:)), let place = values[2].string.flatMap({ Entry.place($0) })
        else { return result(reply) }
        let other = Desk(queues: queues, queue: place.queue, name: "")
        let back = try await other.handOver(place.entry, to: "\(queue.compact):\(mine.compact)", as: "back", onlyWaiting: true)
        guard case .done = back else { return back }
        try await queues.completeTransfers(from: place.queue)
        return try await queues.status(of: mine, in: queue).map(DeskStep.done) ?? .nobody
    }

    private func handOver(
        _ entry: Identifier?, to place: String, as direction: String, onlyWaiting: Bool = false
    ) async throws(RedisError) -> DeskStep {
        try await step(Scripts.handOver, entry, [.string(place), .string(direction), .string(onlyWaiting ? "w" : "")])
    }

    // MARK: Running a step

    private func step(_ script: RedisScript, _ entry: Identifier?, _ more: [RedisArgument] = []) async throws(RedisError) -> DeskStep {
        result(try await evaluate(script, entry, more))
    }

    private func evaluate(_ script: RedisScript, _ entry: Identifier?, _ more: [RedisArgument] = []) async throws(RedisError) -> RedisValue
    {
        let keys = QueueKeys(queue)
        return try await queues.redis.evaluate(
            script,
            keys: [
                keys.waiting, keys.entries, keys.ready, keys.outbox, keys.counters, keys.days, keys.durations, keys.desks, keys.typed,
                keys.events, keys.transfers, keys.callbacks, keys.deadLetters, keys.visitors,
                keys.sessions, keys.settings,
            ], arguments: [.string(name), .string(entry?.compact ?? "")] + more)
    }

    private func result(_ reply: RedisValue) -> DeskStep {
        guard let values = reply.array, let code = values.first?.integer else { return .nobody }
        if code == -1 { return .refused(Self.refusals[values[1].string ?? ""] ?? .left) }
        guard code == 1, values.count == 10, let id = values[1].string.flatMap(Identifier.init(compact:)),
            let entry = Queues.entry(
                queue: queue, id: id, state: values[2], sequence: values[3], joined: values[4], finished: values[5], position: values[6],
                length: Int(values[7].integer ?? 0), visitor: values[8], link: values[9])
        else { return .nobody }
        return .done(entry)
    }

    private static let refusals: [String: DeskStep.Refusal] = [
        "w": .waiting, "rk": .called, "r": .served, "rn": .noShow, "rt": .transferred, "website": .visitor, "busy": .busy,
    ]
}

/// Somebody whom a desk has called, as a screen shows it.
package struct DeskCall: Sendable, Equatable {
    package let entry: Entry
    package let called: Timestamp
    /// 1 for the first call.
    package let times: Int
}

extension Queues {
    /// - Parameter desk: the desk's name, "" for the only one.
    package func desk(_ desk: String = "", of queue: Identifier) -> Desk { Desk(queues: self, queue: queue, name: desk) }

    /// Whom the desks have called, the latest first, with those served less than `shown` ago (`calls-2.lua`).
    package func calls(_ queue: Identifier, shown: Duration = .seconds(60)) async throws(RedisError) -> [DeskCall] {
        let keys = QueueKeys(queue)
        let reply = try await redis.evaluate(
            Scripts.calls, keys: [keys.desks, keys.entries], arguments: [.integer(shown.components.seconds * 1000)])
        let rows = reply.array ?? []
        let calls = stride(from: 0, to: rows.count - 9, by: 10).compactMap { start -> DeskCall? in
            guard let id = rows[start + 1].string.flatMap(Identifier.init(compact:)),
                let entry = Self.entry(
                    queue: queue, id: id, state: rows[start + 2], sequence: rows[start + 3], joined: rows[start + 4],
                    finished: rows[start + 5], position: .integer(0), length: 0, visitor: rows[start + 6], link: rows[start + 9])
            else { return nil }
            return DeskCall(
                entry: entry, called: Timestamp(milliseconds: rows[start + 7].integer ?? 0), times: Int(rows[start + 8].integer ?? 1))
        }
        return calls.sorted { ($0.called.milliseconds, $0.entry.sequence) > ($1.called.milliseconds, $1.entry.sequence) }
    }

    /// Minutes for each place of the line, for the forecast: the mean of the latest 20 services once there were three, until then what the
    /// queue was set to.
    package func averageServiceMinutes(_ queue: Queue) async throws(RedisError) -> Double {
        let part = queue.etaModel == .pace ? 0 : 1
        let services = (try await redis.send(RedisCommand("LRANGE", .string(queue.keys.durations), 0, 19)).array ?? []).compactMap {
            value -> Double? in
            let parts = (value.string ?? "").split(separator: ":")
            return parts.count == 2 ? Double(parts[part]) : nil
        }
        guard services.count >= 3 else { return queue.averageServiceMinutes }
        return services.reduce(0, +) / Double(services.count) / 60_000
    }

    /// Gives a queue that nobody has claimed yet its admin key (`claim-1.lua`).
    /// - Returns: `false` when it has one, or is gone.
    package func claim(_ queue: Identifier, with key: AdminKey) async throws(RedisError) -> Bool {
        defer { forget(queue) }
        return try await redis.evaluate(Scripts.claim, keys: [QueueKeys(queue).settings], arguments: [.string(key.hash)]).integer == 1
    }
}
