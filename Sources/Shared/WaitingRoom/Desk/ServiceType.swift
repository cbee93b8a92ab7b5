package import Redis

/// What customers of a walk-in line come for, "General Inquiry" or "Returns".
package struct ServiceType: Sendable, Equatable {
    package let id: Identifier
    /// Short and unlike any other of the queue, upper and lower case being the same.
    package let code: String
    package let name: String

    package init(id: Identifier, code: String, name: String) {
        self.id = id
        self.code = code
        self.name = name
    }
}

extension Queues {
    /// The most service types that a queue may have.
    package static var mostServiceTypes: Int { 100 }

    package enum ServiceTypeAddition: Sendable, Equatable {
        case added(ServiceType)
        case codeTaken, tooMany
    }

    /// The queue's service types, by code.
    package func serviceTypes(_ queue: Identifier) async throws(RedisError) -> [ServiceType] {
        let fields = try await catalogue.fields(of: QueueKeys(queue).serviceTypes) ?? [:]
        return fields.compactMap(Self.serviceType).sorted { ($0.code.lowercased(), $0.id) < ($1.code.lowercased(), $1.id) }
    }

    package func serviceType(_ id: Identifier, of queue: Identifier) async throws(RedisError) -> ServiceType? {
        let value = try await redis.send(RedisCommand("HGET", .string(QueueKeys(queue).serviceTypes), .string(id.compact))).string
        return value.flatMap { Self.serviceType(key: id.compact, value: $0) }
    }

    /// Adds a service type (`add_service_type-1.lua`).
    package func addServiceType(code: String, name: String, to queue: Identifier) async throws(RedisError) -> ServiceTypeAddition {
        let type = ServiceType(id: .random(), code: code, name: name)
        let reply = try await redis.evaluate(
            Scripts.addServiceType, keys: [QueueKeys(queue).serviceTypes],
            arguments: [.string(type.id.compact), .string(code), .string(name), .integer(Int64(Self.mostServiceTypes))])
        return reply.integer == 1 ? .added(type) : reply.integer == 0 ? .codeTaken : .tooMany
    }

    /// Takes a service type off the list; who waits for it keeps it.
    /// - Returns: `false` when there was none.
    package func deleteServiceType(_ id: Identifier, of queue: Identifier) async throws(RedisError) -> Bool {
        try await redis.send(RedisCommand("HDEL", .string(QueueKeys(queue).serviceTypes), .string(id.compact))).integer == 1
    }

    private static func serviceType(key: String, value: String) -> ServiceType? {
        let parts = value.split(separator: "\u{1F}", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let id = Identifier(compact: key) else { return nil }
        return ServiceType(id: id, code: parts[0], name: parts[1])
    }
}
