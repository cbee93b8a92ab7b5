package import NIOCore
package import Redis

extension Queues {
    /// Who joins, and what proves that an earlier place is theirs.
    package struct JoinRequest: Sendable {
        package let queue: Identifier
        let script: RedisScript
        let keys: [String]
        package let visitor: String
        /// The visitor id is itself a proof: the tenant's secret key came with it, or the queue's visitor ids are secrets.
        package var visitorIsProof = false
        package var idempotencyKey: String?
        /// The caller's own ticket, when it is one of this queue.
        package var ticket: Ticket?

        /// A website's visitor.
        package init(queue: Queue, visitor: String) {
            self.queue = queue.id
            script = Scripts.join
            keys = Self.keys(queue.keys)
            self.visitor = visitor
        }

        /// Somebody who joins a walk-in line by name.
        package init(queue: Queue, walkIn: WalkIn) {
            self.queue = queue.id
            script = Scripts.joinByName
            keys = Self.keys(queue.keys) + [queue.keys.typed, queue.keys.events]
            visitor = walkIn.visitor
        }

        private static func keys(_ keys: QueueKeys) -> [String] { [keys.settings, keys.waiting, keys.entries, keys.counters, keys.days] }
    }

    /// An entry and the text that its holder keeps.
    package struct Joined: Sendable {
        package let entry: Entry
        package let token: String
        /// Whether a place was taken now; otherwise it is the one the caller already had.
        package let isNew: Bool
    }

    /// Takes a place at the end of the queue, or finds the one the caller has already (`join-5.lua`, `join_by_name-7.lua`).
    /// - Returns: `nil` when there is no such queue, or it is not active.
    package func join(_ request: JoinRequest) async throws(RedisError) -> Joined? {
        let reply = try await redis.evaluate(request.script, keys: request.keys, arguments: joinArguments(request))
        return joined(reply, queue: request.queue)
    }

    /// ``join(_:)`` for a caller on an event loop of the Redis client.
    package func join(_ request: JoinRequest, on eventLoop: any EventLoop) -> EventLoopFuture<Joined?> {
        redis.evaluate(request.script, keys: request.keys, arguments: joinArguments(request), on: eventLoop)
            .map { joined($0, queue: request.queue) }
    }

    private func joinArguments(_ request: JoinRequest) -> [RedisArgument] {
        let candidate =
            if request.visitorIsProof {
                entryIDs.identifier(queue: request.queue, visitor: request.visitor)
            } else if let key = request.idempotencyKey {
                entryIDs.identifier(queue: request.queue, idempotencyKey: key)
            } else {
                Identifier.random()
            }
        return [
            .string(candidate.compact), .string(Identifier.random().compact), .string(request.visitor),
            .string(request.ticket?.entry.compact ?? ""),
        ]
    }

    private func joined(_ reply: RedisValue, queue: Identifier) -> Joined? {
        guard let values = reply.array, values.count == 9, let code = values[0].integer,
            let id = values[1].string.flatMap(Identifier.init(compact:)), let sequence = values[2].integer, let joined = values[3].integer,
            let position = values[4].integer, let length = values[5].integer, let epoch = values[6].integer,
            let visitor = values[7].string, let now = values[8].integer
        else { return nil }
        let entry = Entry(
            queue: queue, id: id, sequence: sequence, visitor: visitor, state: .waiting, joined: Timestamp(milliseconds: joined),
            finished: nil, position: Int(position), queueLength: Int(length), lastSeen: Timestamp(milliseconds: now))
        return Joined(entry: entry, token: signer.sign(entry.ticket(epoch: Int32(truncatingIfNeeded: epoch))), isNew: code == 1)
    }
}
