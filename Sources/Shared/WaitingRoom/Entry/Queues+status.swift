package import NIOCore
package import Redis

extension Queues {
    /// Where the person who holds `ticket` stands (`status-5.lua`). Somebody whom Redis has lost is put back first.
    /// - Returns: `nil` when nothing is known of them (any more).
    package func status(_ ticket: Ticket) async throws(RedisError) -> Entry? {
        var entry = try await status(of: ticket.entry, in: ticket.queue)
        if entry == nil, try await restore(ticket) != .nothing { entry = try await status(of: ticket.entry, in: ticket.queue) }
        guard let entry, entry.state == .waiting else { return entry }
        return entry.with(position: max(entry.position, memory.place(entry.sequence, of: entry.queue)))
    }

    /// Whether people are coming back after a loss, so that a rank alone is no place: ``status(_:)`` knows better.
    package var isRebuilding: Bool { memory.isRebuilding }

    /// Where one person stands.
    package func status(of id: Identifier, in queue: Identifier) async throws(RedisError) -> Entry? {
        let keys = QueueKeys(queue)
        let reply = try await redis.evaluate(
            Scripts.status, keys: [keys.waiting, keys.entries, keys.visitors, keys.sessions, keys.revoked],
            arguments: [.string(id.compact)])
        guard let values = reply.array, values.count == 11 else { return nil }
        return Self.entry(
            queue: queue, id: id, state: values[0], sequence: values[1], joined: values[2], finished: values[3], position: values[4],
            length: Int(values[5].integer ?? 0), silence: values[6], visitor: values[7], now: values[8].integer ?? 0, link: values[9],
            sessionEnds: values[10].integer.map(Timestamp.init(milliseconds:)))
    }

    /// The place of one who waits, and how many do, in two plain commands: what a poll asks where there is no view of the queue.
    /// - Returns: a place of `nil` when they do not wait (any more); ``status(_:)`` tells what became of them.
    package func place(_ ticket: Ticket, in queue: Queue, on eventLoop: any EventLoop) -> EventLoopFuture<
        (position: Int?, queueLength: Int)
    > {
        let waiting = RedisArgument.string(queue.keys.waiting)
        let rank = redis.send(RedisCommand("ZRANK", arguments: [waiting, .string(ticket.entry.compact)]), on: eventLoop)
        let length = redis.send(RedisCommand("ZCARD", arguments: [waiting]), on: eventLoop)
        return rank.and(length).map { rank, length in (rank.integer.map { Int($0) + 1 }, Int(length.integer ?? 0)) }
    }

    static func entry(
        queue: Identifier, id: Identifier, state text: RedisValue, sequence: RedisValue, joined: RedisValue, finished: RedisValue,
        position: RedisValue, length: Int, silence: RedisValue = .integer(0), visitor: RedisValue, now: Int64 = 0,
        link: RedisValue = .null, sessionEnds: Timestamp? = nil
    ) -> Entry? {
        guard let letters = text.string, let state = Entry.State(rawValue: String(letters.prefix(1))) else { return nil }
        let waits = state == .waiting
        return Entry(
            queue: queue, id: id, sequence: sequence.integer ?? 0, visitor: visitor.string ?? "", state: state,
            joined: Timestamp(milliseconds: joined.integer ?? 0),
            finished: waits ? nil : Timestamp(milliseconds: finished.integer ?? 0), position: Int(position.integer ?? 0),
            queueLength: length, lastSeen: waits ? Timestamp(milliseconds: 1000 * (now / 1000 - (silence.integer ?? 0))) : nil,
            deskState: Entry.DeskState(rawValue: String(letters.dropFirst())), link: link.string ?? "-", sessionEnds: sessionEnds)
    }
}
