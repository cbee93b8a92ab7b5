import WaitingRoom

/// The schemas of what visitors send and are told, and of their passes.
extension OpenAPISchemas {
    static let visitors: JSON = [
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
    ]

    private static let pass: JSON = ["type": "string", "minLength": 1, "maxLength": .integer(PassSigner.maximumLength)]

    private static let entry: JSON = object(
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
                described(
                    choice(of: EntryBody.Phase.self),
                    "Only where the line does not move at that rate: not open yet, paused, or as many inside as may be")
            ), ("opens_at", ["type": "string", "format": "date-time", "description": "Only before it"]),
            ("message", described(text, "A line of text from the operator, if there is one")),
            ("pass", described(text, "Once ready, while the session lasts: a JWT that proves it to the site (/.well-known/jwks.json)")),
        ])
}
