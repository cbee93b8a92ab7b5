import WaitingRoom

/// The schemas of what those who run the service look at.
extension OpenAPISchemas {
    static let operators: JSON = [
        "Summary": object(
            required: summaryKeys, summaryKeys.map { ($0, $0 == "average_wait_time_seconds" ? number : count) }),
        "QueueStats": object(
            required: [
                "queue_id", "queue_name", "max_users_per_minute", "priority", "waiting_users", "ready_users", "average_wait_time_seconds",
            ],
            [
                ("queue_id", uuid), ("queue_name", text), ("max_users_per_minute", number), ("priority", count), ("waiting_users", count),
                ("ready_users", count), ("average_wait_time_seconds", number),
            ]),
        "CallbackError": object(
            required: ["id", "message", "details", "created_at", "application_id", "queue_id"],
            [
                ("id", described(text, "The webhook-id of its attempts")), ("message", text), ("details", text), ("created_at", time),
                ("application_id", uuid), ("queue_id", uuid),
            ]),
        "Analytics": analytics,
        "Health": object(
            required: ["status", "timestamp", "services"],
            [
                ("status", ["type": "string", "enum": ["healthy", "degraded", "unhealthy"]]),
                ("timestamp", ["type": "string", "format": "date-time"]),
                (
                    "services",
                    object(required: ["api", "redis", "worker"], ["api", "redis", "worker"].map { ($0, health) })
                ),
            ]),
        "LiveQueue": object(
            required: liveKeys,
            liveKeys.map { key in
                switch key {
                case "queue_id", "application_id": (key, uuid)
                case "name": (key, text)
                case "is_active": (key, flag)
                case "max_users_per_minute": (key, number)
                case "wait_p50_seconds", "wait_p95_seconds":
                    (key, described(nullable("number"), "Of those let in within the last 5 minutes; null when there were none"))
                case "callbacks_failing": (key, described(count, "Failed, and to be tried again"))
                case "data_lost_at":
                    (key, described(nullable("string"), "When Redis was last found to have lost data of the queue; null for never"))
                case "restored_users": (key, described(count, "Put back at their places after losses"))
                default: (key, count)
                }
            }),
        "Series": object(
            required: ["step_seconds", "points"],
            [
                ("step_seconds", ["type": "integer", "enum": [60, 3600]]),
                ("points", ["type": "array", "items": object(required: pointKeys, pointKeys.map { ($0, point($0)) })]),
            ]),
        "EntryStory": ["allOf": [["$ref": "#/components/schemas/Entry"], object(required: ["events"], [("events", events)])]],
        "Callback": object(
            required: [
                "id", "state", "attempts", "last_status", "last_error", "next_attempt_at", "created_at", "entry_id", "queue_id",
                "application_id",
            ],
            [
                ("id", described(text, "The webhook-id of its attempts")),
                ("state", choice(of: CallbackStatus.State.self)),
                ("attempts", count), ("last_status", nullable("integer")), ("last_error", nullable("string")),
                ("next_attempt_at", described(nullable("string", format: "date-time"), "Null unless it is pending")),
                ("created_at", time), ("entry_id", uuid), ("queue_id", uuid), ("application_id", uuid),
            ]),
        "Resent": object(required: ["resent"], [("resent", count)]),
    ]

    private static let liveKeys = [
        "queue_id", "application_id", "name", "is_active", "max_users_per_minute", "waiting_users", "released_last_minute", "joined",
        "released", "expired", "cancelled", "wait_p50_seconds", "wait_p95_seconds", "callbacks_pending", "callbacks_failing",
        "callbacks_dead", "data_lost_at", "restored_users",
    ]

    private static let pointKeys = [
        "at", "waiting", "joined", "released", "expired", "cancelled", "wait_p50_seconds", "wait_p95_seconds",
    ]

    private static func point(_ key: String) -> JSON {
        switch key {
        case "at": described(moment, "When the step began")
        case "waiting": described(count, "At the end of the step")
        case "wait_p50_seconds", "wait_p95_seconds": nullable("number")
        default: count
        }
    }

    private static let events: JSON = [
        "type": "array",
        "items": object(
            required: ["at", "type", "detail"],
            [
                ("at", moment), ("type", described(text, "joined, released, callback_delivered, and at desks call, serve, no_show, …")),
                ("detail", described(text, "For people")),
            ]),
    ]

    private static let summaryKeys = [
        "applications", "queues", "total_users", "waiting_users", "ready_users", "expired_users", "rejected_users",
        "average_wait_time_seconds",
    ]

    private static let analytics: JSON = object(
        required: ["period", "daily_joins", "status_distribution", "completion_rate_percent", "daily_wait_times"],
        [
            ("period", object(required: ["start_date", "end_date", "days"], [("start_date", time), ("end_date", time), ("days", count)])),
            ("daily_joins", ["type": "array", "items": object(required: ["date", "count"], [("date", date), ("count", count)])]),
            (
                "status_distribution",
                ["type": "array", "items": object(required: ["status", "count"], [("status", status), ("count", count)])]
            ),
            ("completion_rate_percent", number),
            (
                "daily_wait_times",
                [
                    "type": "array",
                    "items": object(required: ["date", "avg_wait_time_seconds"], [("date", date), ("avg_wait_time_seconds", number)]),
                ]
            ),
        ])

    private static let date: JSON = ["type": "string", "format": "date"]
    private static let health: JSON = ["type": "string", "enum": ["healthy", "unhealthy", "unknown"]]
}
