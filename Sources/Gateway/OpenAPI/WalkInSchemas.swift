import WaitingRoom

/// The schemas of the MicroQ dialect.
extension OpenAPISchemas {
    static let walkIn: JSON = [
        "WalkInError": object(
            required: ["error", "code"], [("error", text), ("code", described(text, "A stable slug, such as queue_not_found"))]),
        "WalkInQueue": walkInQueue,
        "WalkInQueueDraft": object(required: ["queue_id", "name"], [("queue_id", slug)] + settings),
        "WalkInQueueChange": object(required: [], settings),
        "WalkInQueueList": object(
            required: ["count", "queues"], [("count", count), ("queues", Operation.list(of: "WalkInQueue"))]),
        "WalkIn": walkInEntry,
        "WalkInPlace": object(
            required: ["entry", "position", "eta_minutes"],
            [
                ("entry", Operation.schema("WalkIn")), ("position", described(count, "1 = next; 0 when not waiting")),
                ("eta_minutes", number), ("token", described(text, "In the answer to a join: the secret of the place")),
                ("message", operatorsLine),
            ]),
        "WalkInJoin": object(
            required: ["name"],
            [
                ("name", walkInName), ("token", described(text, "The caller's own token: while it waits, the same place is given again")),
                ("service_type_id", nullable("string", format: "uuid")), ("tenant_id", slug), ("queue_id", slug),
            ]),
        "WalkInList": object(
            required: ["count", "queue"],
            [
                ("count", described(count, "All who wait")), ("queue", ["type": "array", "items": walkInRow]), ("message", operatorsLine),
            ]),
        "Served": oneOrNone("served"),
        "Called": oneOrNone("called"),
        "CallList": list(
            "calls",
            [
                ("id", uuid), ("name", text), ("service_type_name", nullable("string")), ("service_type_code", nullable("string")),
                ("status", ["type": "string", "enum": ["called", "served"]]), ("desk", nullable("string")), ("called_at", offsetTime),
                ("times_called", count),
            ]),
        "Today": complete([
            ("date", ["type": "string", "format": "date"]), ("waiting", count), ("joined", count),
            ("called", described(count, "Let in, by a desk or the queue's rate")), ("expired", count), ("cancelled", count),
            ("average_minutes", described(number, "What the forecast takes for one customer")),
        ]),
        "ServiceType": complete(serviceTypeProperties),
        "ServiceTypeList": list("service_types", serviceTypeProperties),
        "EventList": list(
            "events",
            [
                ("id", text),
                (
                    "event_type",
                    [
                        "type": "string",
                        "enum": ["JOIN", "CALL", "RECALL", "SERVE", "NO_SHOW", "RETURN", "TRANSFER", "CANCEL", "EXPIRE"],
                    ]
                ), ("user_id", uuid), ("timestamp", offsetTime),
                (
                    "meta",
                    object(
                        required: ["name"],
                        [
                            ("name", text), ("service_type_code", text), ("desk", text),
                            ("undo", described(flag, "It took back the step before")),
                        ])
                ),
            ]),
    ]

    private static let walkInName: JSON = ["type": "string", "minLength": 1, "maxLength": 200]
    private static let minutes: JSON = [
        "type": "number", "exclusiveMinimum": 0, "maximum": 1440, "description": "Minutes that one customer takes",
    ]
    private static let offsetTime: JSON = ["type": "string", "format": "date-time"]
    private static let walkInStatus: JSON = [
        "type": "string", "enum": ["waiting", "called", "served", "no_show", "transferred", "expired", "cancelled"],
    ]
    private static let serviceType: [(String, JSON)] = [
        ("service_type_name", nullable("string")), ("service_type_code", nullable("string")),
    ]

    private static let names: JSON = described(choice(of: Queue.Names.self), "Names as anybody may see them")
    private static let etaModel: JSON = described(
        choice(of: Queue.ETAModel.self), "What one place takes: the time between two served, or from joining to being served")
    private static let settings: [(String, JSON)] = [
        ("name", walkInName), ("is_public", flag), ("avg_service_time", minutes), ("names", names), ("eta_model", etaModel),
    ]
    private static let serviceTypeProperties: [(String, JSON)] = [("id", uuid), ("name", text), ("code", text)]

    /// An object that has all of its properties.
    private static func complete(_ properties: [(String, JSON)]) -> JSON { object(required: properties.map(\.0), properties) }

    /// `{count, <key>: […]}`.
    private static func list(_ key: String, _ properties: [(String, JSON)]) -> JSON {
        complete([("count", count), (key, ["type": "array", "items": complete(properties)])])
    }

    private static func oneOrNone(_ key: String) -> JSON {
        object(required: [], [(key, Operation.schema("WalkIn")), ("message", ["type": "string", "const": "queue is empty"])])
    }

    private static let walkInQueue: JSON = object(
        required: ["tenant_id", "queue_id", "name", "is_public", "avg_service_time", "created_at"],
        [
            ("tenant_id", slug), ("queue_id", slug), ("name", text), ("is_public", flag), ("avg_service_time", minutes),
            ("names", names), ("eta_model", etaModel),
            ("admin_key", described(text, "The desk's key; only in the answer that made the queue")), ("created_at", offsetTime),
        ])

    private static let walkInEntry: JSON = object(
        required: ["id", "name", "service_type_id", "service_type_name", "service_type_code", "tenant_id", "queue_id", "status"],
        [("id", uuid), ("name", text), ("joined_at", offsetTime), ("service_type_id", nullable("string", format: "uuid"))] + serviceType
            + [
                ("tenant_id", slug), ("queue_id", slug), ("status", walkInStatus), ("served_at", offsetTime),
                ("desk", described(text, "Which desk called them")),
            ])

    private static let operatorsLine = described(text, "A line of text from the operator, if there is one")

    private static let walkInRow: JSON = object(
        required: ["id", "name", "position", "service_type_name", "service_type_code", "eta_minutes", "status", "joined_at"],
        [("id", uuid), ("name", text), ("position", count)] + serviceType
            + [("eta_minutes", number), ("status", walkInStatus), ("joined_at", offsetTime)])
}
