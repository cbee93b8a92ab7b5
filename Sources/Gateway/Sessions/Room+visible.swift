import WaitingRoom

/// What a caller may know of. What they may not is answered as if it were not there.
extension Room {
    /// The application named by its UUID or slug.
    /// - Throws: ``GatewayError`` 404.
    func tenant(_ name: String, for caller: Caller) async throws -> Tenant {
        guard let tenant = try await tenants.find(name), caller.sees(tenant.id) else { throw GatewayError.applicationNotFound }
        return tenant
    }

    /// - Throws: ``GatewayError`` 404.
    func tenant(_ id: Identifier, for caller: Caller) async throws -> Tenant {
        guard caller.sees(id), let tenant = try await tenants.get(id) else { throw GatewayError.applicationNotFound }
        return tenant
    }

    /// The applications, by creation.
    func tenants(for caller: Caller) async throws -> [Tenant] {
        guard let scope = caller.scope else { return try await tenants.list() }
        return try await tenants.get(scope).map { [$0] } ?? []
    }

    /// The queue named by its UUID, or by its slug for callers of one application: slugs are unique within one only.
    /// - Throws: ``GatewayError`` 404, also when its application was deleted.
    func queue(_ name: String, for caller: Caller) async throws -> (queue: Queue, tenant: Tenant) {
        let queue: Queue? =
            if let scope = caller.scope {
                try await queues.find(name, of: scope)
            } else if let id = Identifier(uuid: name) {
                try await queues.get(id)
            } else {
                nil
            }
        guard let queue, let tenant = try await tenants.get(queue.tenant) else { throw GatewayError.queueNotFound }
        return (queue, tenant)
    }

    /// Why nobody can join the queue now: it was closed, or it is gone.
    func refusal(toJoin queue: Identifier) async throws -> GatewayError {
        guard let queue = try await queues.get(queue), queue.isActive else { return .queueNotFound }
        return .queueClosed
    }

    /// The queues of one application, or of all that the caller sees, by creation.
    /// - Throws: ``GatewayError`` 404 when the application named is not there for the caller.
    func queues(of tenant: Identifier? = nil, for caller: Caller) async throws -> [Queue] {
        if let tenant { return try await queues.list(of: self.tenant(tenant, for: caller).id) }
        let visible = Set(try await tenants(for: caller).map(\.id))
        return try await queues.list(of: caller.scope).filter { visible.contains($0.tenant) }
    }
}
