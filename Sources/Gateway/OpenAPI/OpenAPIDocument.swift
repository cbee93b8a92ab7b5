import HTTPTypes
import WaitingRoom

/// The OpenAPI 3.1.0 description of a table of routes. HEAD and OPTIONS are not listed: they work wherever GET, or anything, does.
struct OpenAPIDocument {
    let routes: [Route]
    let publicURL: String

    var json: JSON {
        [
            "openapi": "3.1.0",
            "info": [
                "title": "Anteroom", "version": .string(anteroomVersion),
                "description": "A waiting room in front of websites: visitors join a queue, wait, and are let in at an even rate.",
            ],
            "servers": [["url": .string(publicURL)]],
            "tags": .array(tags.map { ["name": .string($0)] }),
            "paths": paths,
            "components": [
                "securitySchemes": [
                    "bearer": [
                        "type": "http", "scheme": "bearer",
                        "description": "A token of POST /auth/login, or an application's secret key, which acts as its app_admin",
                    ],
                    "apiKey": [
                        "type": "apiKey", "in": "header", "name": "X-API-Key",
                        "description": "An application's api key; also read from app-api-key and app_api_key",
                    ],
                    "adminKey": [
                        "type": "apiKey", "in": "header", "name": "X-Admin-Key",
                        "description": "The key of a walk-in queue's desk, told when the queue was made",
                    ],
                ],
                "schemas": OpenAPISchemas.all,
            ],
        ]
    }

    /// In the order of the table.
    private var tags: [String] {
        var seen: Set<String> = []
        return routes.map(\.about.tag).filter { seen.insert($0).inserted }
    }

    private var paths: JSON {
        var order: [String] = []
        var operations: [String: [JSON.Member]] = [:]
        for route in routes {
            if operations[route.path] == nil { order.append(route.path) }
            operations[route.path, default: []].append(.init(route.method.rawValue.lowercased(), operation(route)))
        }
        return .object(order.map { .init($0, .object(operations[$0] ?? [])) })
    }

    private func operation(_ route: Route) -> JSON {
        let about = route.about
        var members: [JSON.Member] = [
            .init("operationId", .string(Self.name(route))), .init("tags", [.string(about.tag)]), .init("summary", .string(about.summary)),
            .init("security", Self.security(route.access)),
        ]
        let parameters = Self.pathParameters(route) + about.parameters
        if !parameters.isEmpty { members.append(.init("parameters", .array(parameters.map(Self.json)))) }
        if let body = about.body {
            let type = about.bodyIsForm ? "application/x-www-form-urlencoded" : "application/json"
            // Only an object that requires something must be sent.
            let isRequired = body["$ref"] != nil || body["required"] != nil
            members.append(.init("requestBody", ["required": .bool(isRequired), "content": .object([.init(type, ["schema": body])])]))
        }
        members.append(.init("responses", Self.responses(route)))
        return .object(members)
    }

    /// `GET /queues/{id}` → `get_queues_id`.
    private static func name(_ route: Route) -> String {
        let words = route.path.split { !($0.isLetter || $0.isNumber) }
        return ([route.method.rawValue.lowercased()] + (words.isEmpty ? ["root"] : words.map(String.init))).joined(separator: "_")
    }

    private static func security(_ access: Route.Access) -> JSON {
        switch access {
        case .anyone, .ticket: []
        case .apiKey: [["apiKey": []]]
        case .adminKey: [["adminKey": []]]
        case .viewer, .tenantAdmin, .superAdmin: [["bearer": []]]
        }
    }

    /// The parameters in braces that the operation does not describe itself.
    private static func pathParameters(_ route: Route) -> [Operation.Parameter] {
        let described = Set(route.about.parameters.filter { $0.place == .path }.map(\.name))
        return route.path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
            .filter { !described.contains($0) }
            .map { Operation.Parameter(name: $0, place: .path, schema: ["type": "string"], isRequired: true, meaning: "UUID or slug") }
    }

    private static func json(_ parameter: Operation.Parameter) -> JSON {
        var members: [JSON.Member] = [
            .init("name", .string(parameter.name)), .init("in", .string(parameter.place.rawValue)),
            .init("required", .bool(parameter.isRequired || parameter.place == .path)), .init("schema", parameter.schema),
        ]
        if !parameter.meaning.isEmpty { members.append(.init("description", .string(parameter.meaning))) }
        return .object(members)
    }

    private static func responses(_ route: Route) -> JSON {
        let about = route.about
        var success: [JSON.Member] = [.init("description", "Success")]
        if let answer = about.answer { success.append(.init("content", .object([.init(about.answerType, ["schema": answer])]))) }
        var failures = Set(about.failures)
        if [.viewer, .tenantAdmin, .superAdmin].contains(route.access) { failures.formUnion([401, 429, 503]) }
        if route.access == .adminKey { failures.insert(429) }
        if [.tenantAdmin, .superAdmin].contains(route.access) { failures.insert(403) }
        let others = failures.sorted().map { JSON.Member(String($0), failure($0, of: route)) }
        let successes = [about.success] + (about.otherSuccess.map { [$0] } ?? [])
        return .object(successes.map { .init(String($0), .object($0 == 204 ? [success[0]] : success)) } + others)
    }

    private static func failure(_ status: Int, of route: Route) -> JSON {
        let about = route.about
        // What tells how the service is has one shape, well or not.
        let isReport = status == 503 && about.tag == "Service"
        let error = Dialect(path: route.path) == .microQ ? "WalkInError" : status == 422 ? "ValidationError" : "Error"
        let isPage = about.answerType == "text/html"
        let schema = isReport ? about.answer ?? [:] : Operation.schema(error)
        return [
            "description": .string(HTTPResponse.Status(code: status).reasonPhrase),
            "content": isPage ? ["text/html": ["schema": ["type": "string"]]] : ["application/json": ["schema": schema]],
        ]
    }
}
