import WaitingRoom

/// The schemas of queues: their settings, the lots of an opening, and rehearsals.
extension OpenAPISchemas {
    static let queues: JSON = [
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
            required: ["commitment", "seed", "algorithm", "count", "slots"],
            [
                ("commitment", described(nullable("string"), "SHA-256 of the seed, in hexadecimal digits")),
                ("seed", described(nullable("string"), "Null before the opening")),
                ("algorithm", described(text, "How a lot follows from the seed and the entry's id")),
                ("count", described(count, "How many lots were drawn")),
                ("slots", described(count, "How many numbers there were to draw from; 0 while nobody has drawn")),
            ]),
        "QueueDraft": object(
            required: ["application_id", "name"], [("application_id", uuid), ("slug", slug)] + queueSettings(defaults: true)),
        "QueueChange": object(required: [], queueSettings(defaults: false)),
    ]

    static let rehearsals: JSON = [
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
    ]

    private static let queueKeys = [
        "application_id", "name", "max_users_per_minute", "priority", "id", "created_at", "is_active", "slug", "wait_ttl_seconds",
        "message", "unique_visitors", "redirect_url", "return_hosts", "lang", "theme", "state", "on_outage", "session_seconds",
        "session_renewal", "max_active_users", "activation", "opens_at", "closes_at", "pre_queue_order", "shuffle_commitment", "challenge",
        "challenge_bits", "invitations",
    ]

    /// `fallback`: what a new queue has where its draft leaves the setting out; `nil` for what a draft must say.
    private typealias Setting = (name: String, schema: JSON, fallback: JSON?)

    private static func queueSettings(defaults: Bool) -> [(String, JSON)] {
        (rateSettings + pageSettings + admissionSettings).map { name, schema, fallback in
            guard defaults, let fallback, case .object(let members) = schema else { return (name, schema) }
            return (name, .object(members + [.init("default", fallback)]))
        }
    }

    /// How fast people are let in, and for how long they are waited for.
    private static let rateSettings: [Setting] = [
        ("name", name, nil),
        (
            "max_users_per_minute",
            [
                "type": "number", "minimum": 0, "maximum": 1_000_000,
                "description": "Fractions allowed, from 0.0001; 0 lets in by hand only",
            ], .number(Queue.defaultRatePerMinute)
        ),
        ("priority", ["type": "integer", "minimum": 1, "maximum": 100], 1), ("is_active", flag, true),
        (
            "wait_ttl_seconds",
            [
                "type": "integer", "minimum": 0, "maximum": .integer(Queue.maximumWaitTTLSeconds),
                "description": "Silence after which a waiting visitor is given up; 0 = never",
            ], .integer(Queue.defaultWaitTTLSeconds)
        ),
    ]

    /// What visitors see, and where they come back to.
    private static let pageSettings: [Setting] = [
        ("message", ["type": ["string", "null"], "maxLength": 500, "description": "Shown on every waiting screen"], .null),
        ("unique_visitors", described(flag, "Visitor ids are secrets: one place for each"), false),
        ("redirect_url", described(nullable("string", format: "uri"), "Where released visitors go; else the application's"), .null),
        (
            "return_hosts",
            described(
                ["type": "array", "maxItems": 20, "items": ["type": "string", "maxLength": 255]],
                "Hosts, with their sub-domains, to return to; none = the application's domain"), []
        ),
        ("lang", WebAssets.languageSchema, "en"),
        ("theme", ["type": "string", "enum": ["light", "dark", "auto"]], "light"),
    ]

    /// Who goes in when, and what a join has to bring.
    private static let admissionSettings: [Setting] = [
        (
            "state",
            described(
                choice(of: Queue.State.self),
                """
                paused: the line grows and nobody is let in but by hand; passthrough: everybody goes in, those in line first; closed: \
                nobody joins any more
                """), "open"
        ),
        (
            "on_outage",
            described(
                choice(of: Queue.OnOutage.self),
                """
                While Redis is away: hold lets nobody in; lease lets in those who were next in line, half of a second's worth, \
                within the rate (none where that is less than one)
                """), "hold"
        ),
        (
            "session_seconds",
            [
                "type": "integer", "minimum": .integer(Queue.sessionLengths.lowerBound),
                "maximum": .integer(Queue.sessionLengths.upperBound),
                "description": "How long somebody who was let in may stay: the life of their pass",
            ], .integer(Queue.defaultSessionSeconds)
        ),
        ("session_renewal", described(flag, "Each check of a pass lets its session last as long again"), true),
        (
            "max_active_users",
            [
                "type": "integer", "minimum": 0, "maximum": .integer(Queue.maximumCapacity),
                "description": "Nobody is let in by the rate while as many sessions last; 0 = any number",
            ], 0
        ),
        (
            "activation",
            described(
                choice(of: Queue.Activation.self),
                """
                threshold: while nobody waits and rate and capacity have room, a join is ready at once; the line forms only beyond
                """), "always"
        ),
        ("opens_at", described(nullable("string", format: "date-time"), "Before it people gather and nobody is let in"), .null),
        ("closes_at", described(nullable("string", format: "date-time"), "From then on nobody joins"), .null),
        (
            "pre_queue_order",
            described(
                choice(of: Queue.PreQueueOrder.self),
                "In which order those go who came before opens_at: by lot, or as they came; later ones stand behind them"), "shuffle"
        ),
        (
            "challenge",
            described(choice(of: Queue.ChallengeKind.self), "What a join has to bring: proof_of_work asks for a solved GET /challenge"),
            "none"
        ),
        (
            "challenge_bits",
            [
                "type": "integer", "minimum": .integer(Queue.challengeBits.lowerBound),
                "maximum": .integer(Queue.challengeBits.upperBound),
                "description": "Each more takes twice as long; 18 are about a second of a browser's time",
            ], .integer(Queue.defaultChallengeBits)
        ),
        (
            "invitations",
            described(
                choice(of: Queue.Invitations.self),
                "required: a join has to bring an invitation, a JWT (HS256) that the site signs with its secret key"), "none"
        ),
    ]
}
