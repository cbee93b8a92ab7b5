package import Redis

/// Something that happened to a person of a walk-in line, as its queue's stream keeps it (`walk_in.lua`).
package struct QueueEvent: Sendable, Equatable {
    /// The stream's own id, "<ms>-<number>": later ones are greater.
    package let id: String
    /// `JOIN`, `CALL`, `RECALL`, `SERVE`, `NO_SHOW`, `RETURN`, `TRANSFER`, `CANCEL` or `EXPIRE`.
    package let kind: String
    package let entry: Identifier
    package let name: String
    /// Code of the service type; empty for none.
    package let serviceTypeCode: String
    /// The desk whose step it was; empty for one without a name, or none.
    package let desk: String
    /// `undo`, or the place in another queue that a transfer leads to or comes from.
    package let more: String

    /// Whether it took back the step before.
    package var isUndo: Bool { more == "undo" }

    package var time: Timestamp { Timestamp(milliseconds: Int64(id.prefix { $0 != "-" }) ?? 0) }
}

extension Queues {
    /// The latest events of a queue, newest first.
    package func events(_ queue: Identifier, limit: Int) async throws(RedisError) -> [QueueEvent] {
        let reply = try await redis.send(
            RedisCommand("XREVRANGE", .string(QueueKeys(queue).events), "+", "-", "COUNT", .integer(Int64(limit))))
        return Self.events(reply)
    }

    /// The events of one day (UTC; days since 1970), oldest first, at most `limit` from `after` on.
    package func events(_ queue: Identifier, day: Int, after: String? = nil, limit: Int) async throws(RedisError) -> [QueueEvent] {
        let start = Int64(day) * 86_400_000
        let reply = try await redis.send(
            RedisCommand(
                "XRANGE", .string(QueueKeys(queue).events), .string(after.map { "(\($0)" } ?? "\(start)"), .string("\(start + 86_399_999)"),
                "COUNT", .integer(Int64(limit))))
        return Self.events(reply)
    }

    /// What happened to one person, oldest first, of the first 20,000 events since they joined.
    package func events(_ queue: Identifier, of entry: Entry) async throws(RedisError) -> [QueueEvent] {
        var found: [QueueEvent] = []
        var start = "\(entry.joined.milliseconds)"
        for _ in 0..<20 {
            let reply = try await redis.send(
                RedisCommand("XRANGE", .string(QueueKeys(queue).events), .string(start), "+", "COUNT", 1000))
            let batch = Self.events(reply)
            found += batch.filter { $0.entry == entry.id }
            guard let last = batch.last, reply.array?.count == 1000 else { break }
            start = "(\(last.id)"
        }
        return found
    }

    private static func events(_ reply: RedisValue) -> [QueueEvent] {
        (reply.array ?? []).compactMap { row in
            guard let row = row.array, row.count == 2, let id = row[0].string, let fields = row[1].fields, let kind = fields["t"],
                let entry = fields["u"].flatMap(Identifier.init(compact:))
            else { return nil }
            return QueueEvent(
                id: id, kind: kind, entry: entry, name: fields["n"] ?? "", serviceTypeCode: fields["c"] ?? "", desk: fields["d"] ?? "",
                more: fields["m"] ?? "")
        }
    }
}
