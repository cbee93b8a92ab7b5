import WaitingRoom

/// The named schemas of the API, in JSON Schema 2020-12, and what they are made of.
enum OpenAPISchemas {
    static let all: JSON = .object(
        [applications, queues, visitors, sessions, errors, rehearsals, accounts, operators, walkIn].flatMap { schemas -> [JSON.Member] in
            if case .object(let members) = schemas { members } else { [] }
        })

    private static let errors: JSON = [
        "Error": object(
            required: ["detail", "code"], [("detail", text), ("code", described(text, "A stable slug, such as queue_not_found"))]),
        "ValidationError": validationError,
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

    static let text: JSON = ["type": "string"]
    static let flag: JSON = ["type": "boolean"]
    static let number: JSON = ["type": "number", "minimum": 0]
    static let count: JSON = ["type": "integer", "minimum": 0]
    static let uuid: JSON = ["type": "string", "format": "uuid"]
    static let moment: JSON = ["type": "string", "format": "date-time"]
    static let time: JSON = ["type": "string", "description": "UTC, ISO 8601 without a zone: 2026-11-21T02:05:16.133000"]
    static let name: JSON = ["type": "string", "minLength": 1, "maxLength": 100]
    static let slug: JSON = ["type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"]
    static let status: JSON = ["type": "string", "enum": ["waiting", "ready", "expired", "rejected"]]
    static let nullableURL = described(nullable("string", format: "uri"), "Absolute http(s) URL")

    /// The words of an enumeration.
    static func choice<Choice: CaseIterable & RawRepresentable>(of _: Choice.Type) -> JSON where Choice.RawValue == String {
        ["type": "string", "enum": .array(Choice.allCases.map { .string($0.rawValue) })]
    }

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
}
