import HTTPTypes
import Hummingbird
import WaitingRoom

/// What customers of a walk-in line may come for.
struct ServiceTypeRoutes {
    let room: Room

    var routes: [Route] {
        [
            Route(
                .get, "/api/{tenant}/{queue}/service-types", access: .anyone,
                Operation(
                    tag: "Walk-in", summary: "The queue's service types, by code", answer: Operation.schema("ServiceTypeList"),
                    failures: [404, 503]),
                handler: list),
            Route(
                .post, "/api/{tenant}/{queue}/service-types", access: .adminKey,
                Operation(
                    tag: "Walk-in", summary: "Add a service type",
                    body: [
                        "type": "object", "required": ["name", "code"],
                        "properties": [
                            "name": ["type": "string", "minLength": 1, "maxLength": 100],
                            "code": ["type": "string", "pattern": "^[A-Za-z0-9._-]{1,16}$"],
                        ],
                    ], success: 201, answer: Operation.schema("ServiceType"), failures: [400, 403, 404, 409, 413, 415, 503]),
                handler: add),
            Route(
                .delete, "/api/{tenant}/{queue}/service-types/{id}", access: .adminKey,
                Operation(
                    tag: "Walk-in", summary: "Take a service type off the list; who waits for it keeps it",
                    parameters: [.init(name: "id", place: .path, schema: ["type": "string", "format": "uuid"], isRequired: true)],
                    success: 204, failures: [403, 404, 503]),
                handler: delete),
        ]
    }

    @Sendable func list(_ request: Request, context: GatewayContext) async throws -> Response {
        let (queue, _) = try await room.walkInQueue(context)
        let types = try await room.queues.serviceTypes(queue.id)
        return .json(["count": .integer(types.count), "service_types": .array(types.map(Self.json))])
    }

    @Sendable func add(_ request: Request, context: GatewayContext) async throws -> Response {
        let (queue, _) = try await room.walkInQueue(context)
        try room.checkAdminKey(request, of: queue)
        var fields = try await request.fields()
        let name = fields.trimmedText("name", length: 1...100)
        let code = fields.text("code", length: 1...16)
        if !code.isEmpty, !Slug.isValid(code) {
            fields.note("code", type: "string_pattern_mismatch", "String should be 1 to 16 of A-Z a-z 0-9 . _ -")
        }
        try fields.check()
        switch try await room.queues.addServiceType(code: code, name: name, to: queue.id) {
        case .added(let type): return .json(Self.json(type), status: .created)
        case .codeTaken: throw GatewayError.conflict("Another service type has the code \(code); choose another", code: "code_taken")
        case .tooMany:
            throw GatewayError.conflict(
                "A queue has at most \(Queues.mostServiceTypes) service types; delete one first", code: "too_many_service_types")
        }
    }

    @Sendable func delete(_ request: Request, context: GatewayContext) async throws -> Response {
        let (queue, _) = try await room.walkInQueue(context)
        try room.checkAdminKey(request, of: queue)
        guard let id = Identifier(uuid: try context.parameter("id")), try await room.queues.deleteServiceType(id, of: queue.id) else {
            throw GatewayError.notFound("Service type not found", code: "service_type_not_found")
        }
        return .noContent
    }

    private static func json(_ type: ServiceType) -> JSON {
        ["id": .string(type.id.description), "name": .string(type.name), "code": .string(type.code)]
    }
}

extension Room {
    /// The service type that a body names.
    /// - Throws: ``GatewayError`` 400 when the queue has none of that id.
    func serviceType(_ id: Identifier?, of queue: Queue) async throws -> ServiceType? {
        guard let id else { return nil }
        if let type = try await queues.serviceType(id, of: queue.id) { return type }
        throw GatewayError.invalid(
            "service_type_id", type: "value_error", "This queue has no such service type; choose one of its list",
            input: .string(id.description))
    }
}
