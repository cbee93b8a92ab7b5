import Hummingbird
import Logging
import WaitingRoom

/// Who changed what.
struct AuditRoutes {
    let room: Room

    var routes: [Route] {
        [
            Route(
                .get, "/audit", access: .viewer,
                Operation(
                    tag: "Users", summary: "Who changed what, and what it was before, newest first",
                    parameters: [
                        .init(
                            name: "application_id", place: .query, schema: ["type": "string", "format": "uuid"],
                            meaning: "Changes of this application only"),
                        .init(
                            name: "queue_id", place: .query, schema: ["type": "string", "format": "uuid"],
                            meaning: "Changes of this queue only"),
                        .init(name: "before", place: .query, schema: ["type": "string"], meaning: "Older than the line of this id"),
                        .init(name: "limit", place: .query, schema: ["type": "integer", "minimum": 1, "maximum": 200, "default": 50]),
                    ], answer: Operation.list(of: "AuditLine"), failures: [404, 422]),
                handler: list)
        ]
    }

    @Sendable func list(_ request: Request, context: GatewayContext) async throws -> Response {
        let caller = try await room.caller(request, atLeast: .viewer)
        var query = try request.queryFields()
        let application = query.optionalIdentifier("application_id")
        let queueID = query.optionalIdentifier("queue_id")
        let before = query.optionalText("before", length: 1...40)
        if before != nil, Self.lineID(before) == nil {
            query.note("before", type: "value_error", "Input should be the id of a line")
        }
        let limit = query.integer("limit", 1...200, fallback: 50)
        try query.check()
        if let application, !caller.sees(application) { throw GatewayError.applicationNotFound }
        let lines = try await room.audit.list(of: application ?? caller.scope, target: queueID, before: before, limit: limit)
        return .json(.array(lines.map(Self.json)))
    }

    /// `text` if it is the id of a line; no stream has a line 0-0, and Redis refuses to look before it.
    static func lineID(_ text: String?) -> String? {
        text.flatMap { $0.wholeMatch(of: /[0-9]{1,15}-[0-9]{1,15}/) == nil || $0.allSatisfy { "0-".contains($0) } ? nil : $0 }
    }

    private static func json(_ line: AuditLine) -> JSON {
        [
            "id": .string(line.id), "at": .string(line.time.rfc3339), "actor": .string(line.actor), "action": .string(line.action),
            "target_type": .string(line.targetType), "target_id": .string(line.target.description), "before": line.before,
            "after": line.after, "request_id": .string(line.requestID),
        ]
    }
}

extension Room {
    /// Writes a change that was made into the audit log: of `before` and `after`, objects of one shape, what differs.
    ///
    /// A change that cannot be written down has been made all the same, so this fails in the log only.
    func note(
        _ action: String, on target: Identifier, of tenant: Identifier?, before: JSON = .null, after: JSON = .null, by caller: Caller,
        _ context: GatewayContext
    ) async {
        let line = AuditLine(
            actor: caller.name, action: action, target: target, tenant: tenant, before: before.differing(from: after),
            after: after.differing(from: before), requestID: context.requestID)
        do {
            try await audit.append(line)
        } catch {
            context.logger.error("A change is missing in the audit log", metadata: ["action": "\(action)", "error": "\(error)"])
        }
    }
}

extension JSON {
    /// The members that `other` has not, or has otherwise; all of it when `other` is no object.
    fileprivate func differing(from other: JSON) -> JSON {
        guard case .object(let members) = self, case .object = other else { return self }
        return .object(members.filter { other[$0.key] != $0.value })
    }
}
