import WaitingRoom

/// What the OpenAPI document says of a route.
struct Operation: Sendable {
    /// A parameter of the path, query or header.
    struct Parameter: Sendable {
        enum Place: String, Sendable { case path, query, header }

        let name: String
        let place: Place
        let schema: JSON
        var isRequired = false
        var meaning = ""
    }

    /// The group that it is listed in.
    let tag: String
    /// One line.
    let summary: String
    var parameters: [Parameter] = []
    /// The JSON body: the name of a schema in ``OpenAPISchemas``, or a schema.
    var body: JSON?
    /// The body is a form rather than JSON.
    var bodyIsForm = false
    /// The status of success and what it carries: a schema, or `nil` for no body.
    var success = 200
    /// Another status of success, with the same schema.
    var otherSuccess: Int?
    var answer: JSON?
    /// The media type of the answer.
    var answerType = "application/json"
    /// Statuses of failure that the route itself can answer.
    var failures: [Int] = []

    /// Refers to a named schema.
    static func schema(_ name: String) -> JSON { ["$ref": .string("#/components/schemas/\(name)")] }
    static func list(of name: String) -> JSON { ["type": "array", "items": schema(name)] }
}
