import WaitingRoom

/// The schemas of applications, and of who may change what.
extension OpenAPISchemas {
    static let applications: JSON = [
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
    ]

    static let sessions: JSON = [
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
    ]

    static let accounts: JSON = [
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
    ]

    private static let domain: JSON = ["type": "string", "minLength": 1, "maxLength": 255]
    private static let role: JSON = ["type": "string", "enum": ["viewer", "app_admin", "super_admin"]]
    private static let userSettings: [(String, JSON)] = [
        ("role", role), ("application_id", described(nullable("string", format: "uuid"), "Null for a super_admin")),
        ("password", ["type": "string", "minLength": .integer(AccountRoutes.shortestPassword), "maxLength": 1024]),
    ]

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
}
