import WaitingRoom

/// The named schemas of the API, in JSON Schema 2020-12.
enum OpenAPISchemas {
    static let all: JSON = .object(
        [qms, operators, walkIn].flatMap { schemas -> [JSON.Member] in
            if case .object(let members) = schemas { members } else { [] }
        })

    private static let qms: JSON = [
        "App": app(secret: false),
        "AppWithSecret": app(secret: true),
        "AppDraft": object(
            required: ["name", "domain"],
            [
                ("name", name), ("domain", domain), ("callback_url", nullableURL), ("redirect_url", nullableURL), ("slug", slug),
                sharedRate,
            ]),
        "AppChange": object(
            required: [],
            [
                ("name", name), ("domain", domain), ("callback_url", nullableURL), ("redirect_url", nullableURL), ("is_active", flag),
                sharedRate,
            ]),
        "Queue": object(
            required: queueKeys,
            [("application_id", uuid)] + queueSettings(defaults: false) + [
                ("id", uuid), ("created_at", time), ("slug", slug),
                (
                    "shuffle_commitment",
                    described(nullable("string"), "SHA-256 of the seed of the next opening's lots (GET /queues/{id}/shuffle)")
                ),
            ]),
        "Shuffle": object(
            required: ["commitment", "seed", "algorithm", "count"],
            [
                ("commitment", described(nullable("string"), "SHA-256 of the seed, in hexadecimal digits")),
                ("seed", described(nullable("string"), "Null before the opening")),
                ("algorithm", described(text, "How a lot follows from the seed and the entry's id")),
                ("count", described(count, "How many lots were drawn")),
            ]),
        "QueueDraft": object(
            required: ["application_id", "name"], [("application_id", uuid), ("slug", slug)] + queueSettings(defaults: true)),
        "QueueChange": object(required: [], queueSettings(defaults: false)),
        "Entry": entry,
        "JoinBody": object(
            required: ["queue_id", "visitor_id"],
            [
                ("queue_id", uuid), ("visitor_id", ["type": "string", "minLength": 1, "maxLength": 64]),
                ("token", described(text, "The caller's own token: while it waits, the same place is given again")),
                (
                    "invitation",
                    described(text, "Where the queue asks for one: a JWT (HS256) of the site, with queue, jti, exp and, beyond 1, uses")
                ),
                ("challenge", described(text, "Where the queue asks for one: what GET /challenge gave")),
                ("solution", described(text, "A text so that SHA-256 of challenge, a colon and it begins with so many zero bits")),
            ]),
        "Challenge": object(
            required: ["queue_id", "challenge", "bits", "algorithm", "expires_at"],
            [
                ("queue_id", uuid), ("challenge", described(nullable("string"), "Null where the queue asks for none, as is expires_at")),
                ("bits", described(count, "How many zero bits the hash has to begin with")), ("algorithm", text),
                ("expires_at", described(nullable("string", format: "date-time"), "Good for one join until then")),
            ]),
        "KeySet": object(
            required: ["keys"],
            [
                (
                    "keys",
                    [
                        "type": "array",
                        "items": object(
                            required: ["kty", "crv", "x", "y", "kid", "use", "alg"],
                            [("kty", text), ("crv", text), ("x", text), ("y", text), ("kid", text), ("use", text), ("alg", text)]),
                    ]
                )
            ]),
        "PassBody": object(required: ["pass"], [("pass", pass)]),
        "RevokeBody": object(
            required: [], [("pass", pass), ("entry_id", described(uuid, "Where there is no pass: whose it is"))]),
        "PassStatus": object(
            required: ["active"],
            [
                ("active", described(flag, "False for anything wrong; nothing else is told then")), ("iss", text),
                ("aud", described(uuid, "The application")), ("sub", described(text, "The visitor")),
                ("jti", described(uuid, "The entry")), ("queue", uuid), ("iat", described(count, "Seconds since 1970, as the next two")),
                ("nbf", count), ("exp", described(count, "When the session ends")),
            ]),
        "Token": object(
            required: ["access_token", "token_type", "expires_in"],
            [("access_token", text), ("token_type", ["type": "string", "const": "bearer"]), ("expires_in", described(count, "Seconds"))]),
        "Me": object(
            required: ["email", "role", "app_id"],
            [
                ("email", described(nullable("string"), "Null for an application's secret key")),
                ("role", role),
                ("app_id", nullable("string", format: "uuid")),
            ]),
        "Error": object(
            required: ["detail", "code"], [("detail", text), ("code", described(text, "A stable slug, such as queue_not_found"))]),
        "ValidationError": validationError,
        "RehearsalDraft": object(
            required: [],
            [
                ("visitors", ["type": "integer", "minimum": 1, "maximum": .integer(RehearsalRoutes.mostVisitors)]),
                (
                    "arrivals",
                    [
                        "description": "Evenly over the time, evenly over the first minute, or how many come in each minute",
                        "oneOf": [["type": "string", "enum": ["steady", "burst"]], ["type": "array", "items": count]],
                    ]
                ),
                ("duration_minutes", ["type": "integer", "minimum": 1, "maximum": .integer(RehearsalRoutes.mostMinutes), "default": 60]),
                ("max_users_per_minute", described(number, "The queue's when left out")),
                ("max_active_users", described(count, "0 = no limit; the queue's unless it is given")),
                ("session_seconds", described(number, "The queue's unless it is given")),
                (
                    "leave_share",
                    ["type": "number", "minimum": 0, "maximum": 1, "description": "Of those who have to wait, the share that gives up"]
                ), ("seed", described(count, "The same seed gives the same people")),
            ]),
        "Rehearsal": object(
            required: ["waiting", "wait_p50_seconds", "wait_p95_seconds", "wait_p99_seconds", "finished_after_minutes", "gave_up"],
            [
                (
                    "waiting",
                    [
                        "type": "array",
                        "items": object(
                            required: ["minute", "waiting", "released"],
                            [("minute", count), ("waiting", count), ("released", described(count, "Since the point before"))]),
                    ]
                ), ("wait_p50_seconds", nullable("number")), ("wait_p95_seconds", nullable("number")),
                ("wait_p99_seconds", nullable("number")),
                ("finished_after_minutes", described(nullable("number"), "Null when nobody is let in")), ("gave_up", count),
            ]),
        "User": object(
            required: ["id", "email", "role", "application_id", "created_at", "last_login_at"],
            [
                ("id", uuid), ("email", text), ("role", role), ("application_id", nullable("string", format: "uuid")), ("created_at", time),
                ("last_login_at", nullable("string", format: "date-time")),
            ]),
        "UserDraft": object(
            required: ["email", "role", "password"],
            [("email", ["type": "string", "format": "email", "maxLength": 320])] + userSettings),
        "UserChange": object(required: [], userSettings),
        "AuditLine": object(
            required: ["id", "at", "actor", "action", "target_type", "target_id", "before", "after", "request_id"],
            [
                ("id", text), ("at", moment), ("actor", described(text, "An e-mail address, or the application whose secret key it was")),
                ("action", described(text, "queue.update, application.rotate_keys, …")), ("target_type", text), ("target_id", uuid),
                ("before", ["description": "What differs, as it was"]), ("after", ["description": "What differs, as it is"]),
                ("request_id", text),
            ]),
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
    ]

    static let text: JSON = ["type": "string"]
    static let flag: JSON = ["type": "boolean"]
    static let number: JSON = ["type": "number", "minimum": 0]
    static let count: JSON = ["type": "integer", "minimum": 0]
    static let uuid: JSON = ["type": "string", "format": "uuid"]
    static let moment: JSON = ["type": "string", "format": "date-time"]
    private static let date: JSON = ["type": "string", "format": "date"]
    static let time: JSON = ["type": "string", "description": "UTC, ISO 8601 without a zone: 2026-11-21T02:05:16.133000"]
    private static let name: JSON = ["type": "string", "minLength": 1, "maxLength": 100]
    private static let domain: JSON = ["type": "string", "minLength": 1, "maxLength": 255]
    static let slug: JSON = ["type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"]
    private static let role: JSON = ["type": "string", "enum": ["viewer", "app_admin", "super_admin"]]
    private static let userSettings: [(String, JSON)] = [
        ("role", role), ("application_id", described(nullable("string", format: "uuid"), "Null for a super_admin")),
        ("password", ["type": "string", "minLength": .integer(AccountRoutes.shortestPassword), "maxLength": 1024]),
    ]
    private static let health: JSON = ["type": "string", "enum": ["healthy", "unhealthy", "unknown"]]
    private static let status: JSON = ["type": "string", "enum": ["waiting", "ready", "expired", "rejected"]]
    private static let nullableURL = described(nullable("string", format: "uri"), "Absolute http(s) URL")

    static func nullable(_ type: String, format: String? = nil) -> JSON {
        .object([.init("type", [.string(type), "null"])] + (format.map { [.init("format", .string($0))] } ?? []))
    }

    static func described(_ schema: JSON, _ meaning: String) -> JSON {
        guard case .object(let members) = schema else { return schema }
        return .object(members + [.init("description", .string(meaning))])
    }

    static func object(required: [String], _ properties: [(String, JSON)]) -> JSON {
        var members: [JSON.Member] = [.init("type", "object")]
        if !required.isEmpty { members.append(.init("required", .array(required.map(JSON.string)))) }
        members.append(.init("properties", .object(properties.map { .init($0.0, $0.1) })))
        return .object(members)
    }

    private static let sharedRate: (String, JSON) = (
        "max_users_per_minute",
        [
            "type": ["number", "null"], "minimum": 0, "maximum": 1_000_000,
            "description": "What all queues together let in, shared by their priorities; not there for as many as their own rates make",
        ]
    )

    private static func app(secret: Bool) -> JSON {
        let keys = ["name", "domain", "callback_url", "id", "api_key", "created_at", "is_active", "slug", "redirect_url"]
        let properties: [(String, JSON)] = [
            ("name", name), ("domain", text), ("callback_url", nullableURL), ("id", uuid),
            ("api_key", described(text, "Joins and nothing else")), ("created_at", time), ("is_active", flag), ("slug", slug),
            ("redirect_url", nullableURL), sharedRate,
        ]
        let secretKey = ("secret_key", described(text, "Signs callbacks and acts as the application's app_admin; shown this once"))
        return object(required: secret ? keys + ["secret_key"] : keys, secret ? properties + [secretKey] : properties)
    }

    private static let queueKeys = [
        "application_id", "name", "max_users_per_minute", "priority", "id", "created_at", "is_active", "slug", "wait_ttl_seconds",
        "message",
        "unique_visitors", "redirect_url", "return_hosts", "lang", "theme", "state", "on_outage",
        "session_seconds", "session_renewal", "max_active_users", "activation", "opens_at", "closes_at", "pre_queue_order",
        "shuffle_commitment", "challenge", "challenge_bits", "invitations",
    ]

    private static func queueSettings(defaults: Bool) -> [(String, JSON)] {
        func setting(_ name: String, _ schema: JSON, _ fallback: JSON) -> (String, JSON) {
            guard defaults, case .object(let members) = schema else { return (name, schema) }
            return (name, .object(members + [.init("default", fallback)]))
        }
        let rate: JSON = [
            "type": "number", "minimum": 0, "maximum": 1_000_000, "description": "Fractions allowed, from 0.0001; 0 lets in by hand only",
        ]
        let silence: JSON = [
            "type": "integer", "minimum": 0, "maximum": .integer(Queue.maximumWaitTTLSeconds),
            "description": "Silence after which a waiting visitor is given up; 0 = never",
        ]
        let hosts: JSON = ["type": "array", "maxItems": 20, "items": ["type": "string", "maxLength": 255]]
        return [
            ("name", name), setting("max_users_per_minute", rate, .number(Queue.defaultRatePerMinute)),
            setting("priority", ["type": "integer", "minimum": 1, "maximum": 100], 1), setting("is_active", flag, true),
            setting("wait_ttl_seconds", silence, .integer(Queue.defaultWaitTTLSeconds)),
            setting("message", ["type": ["string", "null"], "maxLength": 500, "description": "Shown on every waiting screen"], nil),
            setting("unique_visitors", described(flag, "Visitor ids are secrets: one place for each"), false),
            setting(
                "redirect_url", described(nullable("string", format: "uri"), "Where released visitors go; else the application's"), nil),
            setting("return_hosts", described(hosts, "Hosts, with their sub-domains, to return to; none = the application's domain"), []),
            setting("lang", WebAssets.languageSchema, "en"),
            setting("theme", ["type": "string", "enum": ["light", "dark", "auto"]], "light"),
            setting(
                "state",
                [
                    "type": "string", "enum": .array(Queue.State.allCases.map { .string($0.rawValue) }),
                    "description": """
                    paused: the line grows and nobody is let in but by hand; passthrough: everybody goes in, those in line first; closed: \
                    nobody joins any more
                    """,
                ], "open"),
            setting(
                "on_outage",
                [
                    "type": "string", "enum": .array(Queue.OnOutage.allCases.map { .string($0.rawValue) }),
                    "description": """
                    While Redis is away: hold lets nobody in; lease lets in those who were next in line, half of a second's worth, \
                    within the rate (none where that is less than one)
                    """,
                ], "hold"),
            setting(
                "session_seconds",
                [
                    "type": "integer", "minimum": .integer(Queue.sessionLengths.lowerBound),
                    "maximum": .integer(Queue.sessionLengths.upperBound),
                    "description": "How long somebody who was let in may stay: the life of their pass",
                ], .integer(Queue.defaultSessionSeconds)),
            setting("session_renewal", described(flag, "Each check of a pass lets its session last as long again"), true),
            setting(
                "max_active_users",
                [
                    "type": "integer", "minimum": 0, "maximum": .integer(Queue.maximumCapacity),
                    "description": "Nobody is let in by the rate while as many sessions last; 0 = any number",
                ], 0),
            setting(
                "activation",
                [
                    "type": "string", "enum": .array(Queue.Activation.allCases.map { .string($0.rawValue) }),
                    "description": """
                    threshold: while nobody waits and rate and capacity have room, a join is ready at once; the line forms only beyond
                    """,
                ], "always"),
            setting("opens_at", described(nullable("string", format: "date-time"), "Before it people gather and nobody is let in"), nil),
            setting("closes_at", described(nullable("string", format: "date-time"), "From then on nobody joins"), nil),
            setting(
                "pre_queue_order",
                [
                    "type": "string", "enum": .array(Queue.PreQueueOrder.allCases.map { .string($0.rawValue) }),
                    "description":
                        "In which order those go who came before opens_at: by lot, or as they came; later ones stand behind them",
                ], "shuffle"),
            setting(
                "challenge",
                [
                    "type": "string", "enum": .array(Queue.ChallengeKind.allCases.map { .string($0.rawValue) }),
                    "description": "What a join has to bring: proof_of_work asks for a solved GET /challenge",
                ], "none"),
            setting(
                "challenge_bits",
                [
                    "type": "integer", "minimum": .integer(Queue.challengeBits.lowerBound),
                    "maximum": .integer(Queue.challengeBits.upperBound),
                    "description": "Each more takes twice as long; 18 are about a second of a browser's time",
                ], .integer(Queue.defaultChallengeBits)),
            setting(
                "invitations",
                [
                    "type": "string", "enum": .array(Queue.Invitations.allCases.map { .string($0.rawValue) }),
                    "description": "required: a join has to bring an invitation, a JWT (HS256) that the site signs with its secret key",
                ], "none"),
        ]
    }

    private static let pass: JSON = ["type": "string", "minLength": 1, "maxLength": .integer(PassSigner.maximumLength)]

    static let entry: JSON = object(
        required: [
            "queue_id", "visitor_id", "status", "redirect_url", "wait_time", "expires_at", "id", "token", "created_at", "position",
            "eta_seconds", "queue_length", "poll_after_ms",
        ],
        [
            ("queue_id", uuid), ("visitor_id", text), ("status", status), ("redirect_url", nullable("string", format: "uri")),
            ("wait_time", described(nullable("integer"), "Seconds waited, once ready")),
            ("expires_at", described(nullable("string"), "When the place is given up unless polled for again; UTC without a zone")),
            ("id", uuid), ("token", described(text, "The secret of the place")), ("created_at", time),
            ("position", described(count, "1 = next; 0 when not waiting, and before an opening that draws lots")),
            ("eta_seconds", described(nullable("integer"), "Null when people are let in by hand")), ("queue_length", count),
            ("poll_after_ms", described(count, "When to poll next; 0 = no more")),
            ("eta_low_seconds", described(nullable("integer"), "The wait is hardly ever shorter; only while waiting, as the next two")),
            ("eta_high_seconds", described(nullable("integer"), "The wait is hardly ever longer")),
            ("max_users_per_minute", described(number, "The rate that this rests on")),
            (
                "phase",
                [
                    "type": "string", "enum": .array(EntryBody.Phase.allCases.map { .string($0.rawValue) }),
                    "description": "Only where the line does not move at that rate: not open yet, paused, or as many inside as may be",
                ]
            ), ("opens_at", ["type": "string", "format": "date-time", "description": "Only before it"]),
            ("message", described(text, "A line of text from the operator, if there is one")),
            ("pass", described(text, "Once ready, while the session lasts: a JWT that proves it to the site (/.well-known/jwks.json)")),
        ])

    private static let summaryKeys = [
        "applications", "queues", "total_users", "waiting_users", "ready_users", "expired_users", "rejected_users",
        "average_wait_time_seconds",
    ]

    private static let validationError: JSON = object(
        required: ["detail", "code"],
        [
            (
                "detail",
                [
                    "type": "array",
                    "items": object(
                        required: ["type", "loc", "msg", "input"],
                        [
                            ("type", text), ("loc", ["type": "array", "items": ["type": ["string", "integer"]]]), ("msg", text),
                            ("input", [:]),
                        ]),
                ]
            ), ("code", text),
        ])

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
}
