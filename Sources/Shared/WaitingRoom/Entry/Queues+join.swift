package import NIOCore
import Redis

extension Queues {
    /// Who joins, and what proves that an earlier place is theirs.
    package struct JoinRequest: Sendable {
        package let queue: Identifier
        let isByName: Bool
        let keys: QueueKeys
        /// The queue, where a join may go in at once or needs a lot.
        var special: Queue?
        package let visitor: String
        /// The visitor id is itself a proof: the tenant's secret key came with it, or the queue's visitor ids are secrets.
        package var visitorIsProof = false
        package var idempotencyKey: String?
        /// The caller's own ticket, when it is one of this queue.
        package var ticket: Ticket?
        /// The queue's application has a rate of its own, which only workers share out: nobody is let in by joining within a threshold.
        package var sharesRate = false
        package var invitation: Invitation?
        /// It is solved.
        package var challenge: Challenge?
        /// What the queue asks for was not brought, or is not good: only a place that the caller has already is theirs.
        package var lacksProof = false

        /// A website's visitor.
        package init(queue: Queue, visitor: String) {
            self.queue = queue.id
            isByName = false
            keys = queue.keys
            special = queue.takesSpecialJoins ? queue : nil
            self.visitor = visitor
        }

        /// Somebody who joins a walk-in line by name.
        package init(queue: Queue, walkIn: WalkIn) {
            self.queue = queue.id
            isByName = true
            keys = queue.keys
            special = queue.takesSpecialJoins ? queue : nil
            visitor = walkIn.visitor
        }

        var script: RedisScript { isByName ? Scripts.joinByName : Scripts.enter }

        /// Those of ``script``.
        var scriptKeys: [String] {
            if isByName { return newcomerKeys + [keys.typed, keys.events] }
            return newcomerKeys + [
                keys.bucket, keys.ready, keys.outbox, keys.sessions, keys.typed, keys.events,
                keys.redeemed(invitation?.id ?? queue), keys.redeemed(challenge?.id ?? queue),
            ]
        }

        /// Those of `join-6.lua`.
        var newcomerKeys: [String] { [keys.settings, keys.waiting, keys.entries, keys.counters, keys.days, keys.visitors] }

        /// Whether anything proves who joins.
        package var isProven: Bool { visitorIsProof || idempotencyKey != nil }

        /// Whether the queue asks for something that the join brings, or lacks.
        var hasProof: Bool { invitation != nil || challenge != nil || lacksProof }
    }

    /// An entry and the text that its holder keeps.
    package struct Joined: Sendable {
        package let entry: Entry
        package let token: String
        /// Whether a place was taken now; otherwise it is the one the caller already had.
        package let isNew: Bool

        package init(entry: Entry, token: String, isNew: Bool) {
            self.entry = entry
            self.token = token
            self.isNew = isNew
        }

        /// Whether they were let in by joining.
        package var wentIn: Bool { isNew && entry.state == .released }
    }

    /// Why no place was taken.
    package enum Refusal: Error {
        case usedInvitation
        case usedChallenge
        case lacksProof
    }

    /// Takes a place at the end of the queue, or finds the one the caller has already (`enter-14.lua`, `join_by_name-8.lua`); where the
    /// queue is set so, whoever comes while nobody waits is let in at once. If Redis has lost the queue or the caller's earlier place, that
    /// is given back first. A newcomer waits for ``reunion``.
    /// - Returns: `nil` when there is no such queue, or it is not active, or closed.
    /// - Throws: ``Refusal``, or ``RedisError``.
    package func join(_ request: JoinRequest) async throws -> Joined? {
        var request = request
        if request.ticket == nil, let reunion {
            let returned = redis.returned
            try? await Task.sleep(for: reunion)
            guard redis.returned == returned else { throw goneAgain }
        }
        // The queue, then the place, then how the queue is set now.
        for _ in 0..<4 {
            let reply = try await redis.evaluate(request.script, keys: request.scriptKeys, arguments: joinArguments(request))
            switch reply.array?.first?.integer {
            case -1:
                guard let queue = try await get(request.queue), queue.isActive else { return nil }
            case -3:
                if let ticket = request.ticket, try await restore(ticket) == .nothing { request.ticket = nil }
            case -4: request.special = try await get(request.queue)
            case -5: throw Refusal.usedChallenge
            case -6: throw Refusal.usedInvitation
            case -7: throw Refusal.lacksProof
            default: return joined(reply, queue: request.queue)
            }
        }
        return nil
    }

    /// The usual case of ``join(_:)`` for a caller on an event loop of the Redis client: newcomers of one turn of the loop go together.
    /// - Returns: `nil` when no place was taken; ``join(_:)`` has what can be done about it.
    package func join(_ request: JoinRequest, on eventLoop: any EventLoop) -> EventLoopFuture<Joined?> {
        let candidates = candidates(request)
        guard !request.isByName, request.ticket == nil, !request.hasProof, request.special == nil, candidates.other == nil else {
            return afterReunion(request, on: eventLoop) {
                self.redis.evaluate(request.script, keys: request.scriptKeys, arguments: self.joinArguments(request), on: eventLoop)
            }.map { self.joined($0, queue: request.queue) }
        }
        let promise = eventLoop.makePromise(of: Joined?.self)
        let newcomer = JoinBatches.Newcomer(
            id: candidates.current, mayBeKnown: request.isProven, visitor: request.visitor, joined: promise)
        if joins.add(newcomer, to: request.queue, on: eventLoop) {
            let returned = redis.returned
            let send = { @Sendable in
                let newcomers = self.joins.take(from: request.queue, on: eventLoop)
                guard self.redis.returned == returned else {
                    for newcomer in newcomers { newcomer.joined.fail(self.goneAgain) }
                    return
                }
                for start in stride(from: 0, to: newcomers.count, by: Self.newcomersAtOnce) {
                    let some = newcomers[start..<min(start + Self.newcomersAtOnce, newcomers.count)]
                    self.join(some, queue: request.queue, keys: request.newcomerKeys, on: eventLoop)
                }
            }
            if let reunion { eventLoop.scheduleTask(in: TimeAmount(reunion), send) } else { eventLoop.execute(send) }
        }
        return promise.futureResult
    }

    /// Takes a newcomer's step when ``reunion`` is over, and anybody else's now.
    private func afterReunion(
        _ request: JoinRequest, on eventLoop: any EventLoop, _ step: @Sendable @escaping () -> EventLoopFuture<RedisValue>
    ) -> EventLoopFuture<RedisValue> {
        guard request.ticket == nil, let reunion else { return step() }
        let returned = redis.returned
        return eventLoop.flatScheduleTask(in: TimeAmount(reunion)) {
            self.redis.returned == returned ? step() : eventLoop.makeFailedFuture(self.goneAgain)
        }.futureResult
    }

    /// Redis went away and came back while a newcomer waited for ``reunion``: to wait for the next as well would take too long.
    private var goneAgain: RedisError { RedisError(.unavailable, command: "EVALSHA") }

    /// The most newcomers that one call takes, so that no script runs long.
    private static var newcomersAtOnce: Int { 100 }

    /// Takes places for newcomers (`join-6.lua`).
    private func join(_ newcomers: ArraySlice<JoinBatches.Newcomer>, queue: Identifier, keys: [String], on eventLoop: any EventLoop) {
        var arguments: [RedisArgument] = [
            .integer(memory.highestSequence(of: queue)), newcomers.contains(where: \.mayBeKnown) ? "1" : "0",
        ]
        for newcomer in newcomers { arguments += [.string(newcomer.id.compact), .string(newcomer.visitor)] }
        redis.evaluate(Scripts.join, keys: keys, arguments: arguments, on: eventLoop).whenComplete { result in
            switch result {
            case .failure(let error):
                for newcomer in newcomers { newcomer.joined.fail(error) }
            case .success(let reply):
                for (newcomer, joined) in zip(newcomers, self.joined(newcomers, reply, queue: queue)) { newcomer.joined.succeed(joined) }
            }
        }
    }

    private func joined(_ newcomers: ArraySlice<JoinBatches.Newcomer>, _ reply: RedisValue, queue: Identifier) -> [Joined?] {
        guard let values = reply.array, values.count >= 5, values[0].integer == 1, var sequence = values[1].integer,
            let joined = values[2].integer, let epoch = values[3].integer, var length = values[4].integer
        else { return newcomers.map { _ in nil } }
        let isLeftOut = Set(values.dropFirst(5).compactMap(\.integer))
        return zip(Int64(1)..., newcomers).map { number, newcomer in
            if isLeftOut.contains(number) { return nil }
            defer { sequence += 1 }
            length += 1
            return self.joined(
                id: newcomer.id, sequence: sequence, joined: joined, position: length, length: length, epoch: epoch,
                visitor: newcomer.visitor,
                now: joined, queue: queue, isNew: true)
        }
    }

    private func candidates(_ request: JoinRequest) -> EntryIdentifiers.Candidates {
        if request.visitorIsProof {
            entryIDs.candidates(queue: request.queue, visitor: request.visitor)
        } else if let invitation = request.invitation, invitation.uses == 1 {
            entryIDs.candidates(queue: request.queue, proof: invitation.id)
        } else if let key = request.idempotencyKey {
            entryIDs.candidates(queue: request.queue, idempotencyKey: key)
        } else if let challenge = request.challenge {
            entryIDs.candidates(queue: request.queue, proof: challenge.id)
        } else {
            EntryIdentifiers.Candidates(current: .random(), other: nil)
        }
    }

    private func joinArguments(_ request: JoinRequest) -> [RedisArgument] {
        let candidates = candidates(request)
        let fresh = Identifier.random()
        let shuffle = request.special.flatMap { $0.opensAt == nil ? nil : shuffles.shuffleOrAnother(of: $0) }
        func lot(_ entry: Identifier) -> RedisArgument { shuffle.map { .integer($0.lot(of: entry)) } ?? "" }
        let arguments: [RedisArgument] = [
            .string(candidates.current.compact), .string(fresh.compact), .string(request.visitor),
            .string(request.ticket?.entry.compact ?? ""), .integer(memory.highestSequence(of: request.queue)),
            .string(candidates.other?.compact ?? ""), lot(candidates.current), lot(fresh), .integer(Int64(request.special?.opening ?? 0)),
        ]
        if request.isByName { return arguments }
        return arguments + [
            .integer(Int64(rebuildSeconds) * 1000), .integer(Int64(request.invitation?.uses ?? 0)),
            .integer(request.invitation?.expires.milliseconds ?? 0), .integer(request.challenge?.expires.milliseconds ?? 0),
            request.sharesRate ? "1" : "0", request.lacksProof ? "1" : "0",
        ]
    }

    private func joined(_ reply: RedisValue, queue: Identifier) -> Joined? {
        guard let values = reply.array, values.count >= 10, let code = values[0].integer,
            let id = values[1].string.flatMap(Identifier.init(compact:)), let sequence = values[2].integer, let joined = values[3].integer,
            let position = values[4].integer, let length = values[5].integer, let epoch = values[6].integer,
            let visitor = values[7].string, let now = values[8].integer, let highest = values[9].integer
        else { return nil }
        memory.saw(highest, of: queue)
        if code >= 2 {
            // In place of the position is when.
            let entry = Entry(
                queue: queue, id: id, sequence: sequence, visitor: visitor, state: .released, joined: Timestamp(milliseconds: joined),
                finished: Timestamp(milliseconds: position), position: 0, queueLength: Int(length), lastSeen: nil,
                sessionEnds: values.last?.integer.map(Timestamp.init(milliseconds:)))
            return Joined(entry: entry, token: signer.sign(entry.ticket(epoch: Int32(truncatingIfNeeded: epoch))), isNew: code == 2)
        }
        return self.joined(
            id: id, sequence: sequence, joined: joined, position: position, length: length, epoch: epoch, visitor: visitor, now: now,
            queue: queue, isNew: code == 1)
    }

    private func joined(
        id: Identifier, sequence: Int64, joined: Int64, position: Int64, length: Int64, epoch: Int64, visitor: String, now: Int64,
        queue: Identifier, isNew: Bool
    ) -> Joined {
        memory.saw(sequence, of: queue)
        let place = position == 0 ? 0 : max(Int(position), memory.place(sequence, of: queue))
        let entry = Entry(
            queue: queue, id: id, sequence: sequence, visitor: visitor, state: .waiting, joined: Timestamp(milliseconds: joined),
            finished: nil, position: place, queueLength: max(Int(length), place), lastSeen: Timestamp(milliseconds: now))
        return Joined(entry: entry, token: signer.sign(entry.ticket(epoch: Int32(truncatingIfNeeded: epoch))), isNew: isNew)
    }
}
