package import Redis

/// Who changed what, and what it was before.
package struct AuditLine: Sendable, Equatable {
    /// "<ms>-<number>": later ones are greater.
    package let id: String
    /// An e-mail address, or "application <slug>" for a secret key.
    package let actor: String
    /// `queue.update`, `application.rotate_keys` and so on.
    package let action: String
    package let target: Identifier
    package let tenant: Identifier?
    /// What differs, as JSON; never a secret.
    package let before: JSON
    package let after: JSON
    package let requestID: String

    package init(
        id: String = "", actor: String, action: String, target: Identifier, tenant: Identifier?, before: JSON, after: JSON,
        requestID: String
    ) {
        self.id = id
        self.actor = actor
        self.action = action
        self.target = target
        self.tenant = tenant
        self.before = before
        self.after = after
        self.requestID = requestID
    }

    package var time: Timestamp { Timestamp(milliseconds: Int64(id.prefix { $0 != "-" }) ?? 0) }

    /// What kind of thing was changed: the action's first word.
    package var targetType: String { String(action.prefix { $0 != "." }) }
}

/// The audit log: about the latest 50,000 changes, and 10,000 of each application.
package struct AuditLog: Sendable {
    private static let batch = 500
    private static let linesOfAll: Int64 = 50_000
    private static let linesOfTenant: Int64 = 10_000

    private let redis: RedisClient

    package init(redis: RedisClient) { self.redis = redis }

    /// Writes a line to the log of all, and to that of the application concerned (`audit-1.lua`).
    package func append(_ line: AuditLine) async throws(RedisError) {
        try await append(line, to: CatalogueKeys.audit, lines: Self.linesOfAll)
        if let tenant = line.tenant { try await append(line, to: CatalogueKeys.audit(of: tenant), lines: Self.linesOfTenant) }
    }

    private func append(_ line: AuditLine, to log: String, lines: Int64) async throws(RedisError) {
        _ = try await redis.evaluate(
            Scripts.audit, keys: [log],
            arguments: [
                .integer(lines), "actor", .string(line.actor), "action", .string(line.action), "target", .string(line.target.compact),
                "tenant",
                .string(line.tenant?.compact ?? ""), "before", .string(line.before.text), "after", .string(line.after.text), "request",
                .string(line.requestID),
            ])
    }

    /// The latest lines, newest first.
    /// - Parameters:
    ///   - tenant: of this application only; `nil` for all.
    ///   - target: about this thing only; `nil` for all.
    ///   - before: older than the line of this id.
    package func list(of tenant: Identifier?, target: Identifier? = nil, before: String? = nil, limit: Int) async throws(RedisError)
        -> [AuditLine]
    {
        let key = tenant.map(CatalogueKeys.audit(of:)) ?? CatalogueKeys.audit
        var lines: [AuditLine] = []
        var end = before.map { "(\($0)" } ?? "+"
        while lines.count < limit {
            let reply = try await redis.send(
                RedisCommand("XREVRANGE", .string(key), .string(end), "-", "COUNT", .integer(Int64(Self.batch))))
            let rows = reply.array ?? []
            let found = rows.compactMap(Self.line)
            lines += found.filter { target == nil || $0.target == target }
            guard rows.count == Self.batch, let last = found.last else { break }
            end = "(\(last.id)"
        }
        return Array(lines.prefix(limit))
    }

    private static func line(_ row: RedisValue) -> AuditLine? {
        guard let row = row.array, row.count == 2, let id = row[0].string, let fields = row[1].fields, let action = fields["action"],
            let target = fields["target"].flatMap(Identifier.init(compact:))
        else { return nil }
        func json(_ key: String) -> JSON { (try? JSONScanner.scan(Array((fields[key] ?? "null").utf8))) ?? .null }
        return AuditLine(
            id: id, actor: fields["actor"] ?? "", action: action, target: target,
            tenant: fields["tenant"].flatMap(Identifier.init(compact:)), before: json("before"), after: json("after"),
            requestID: fields["request"] ?? "")
    }
}
