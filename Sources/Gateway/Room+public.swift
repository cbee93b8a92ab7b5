import WaitingRoom

extension Room {
    typealias Found = (queue: Queue, tenant: Tenant)

    /// The queue of an id as a public address has it, and whose it is; `nil` when there is none.
    func queue(id text: String) async throws -> Found? {
        guard let id = Identifier(uuid: text), let queue = try await queues.recent(id) else { return nil }
        return try await tenants.recent(queue.tenant).map { (queue, $0) }
    }

    /// The queue of the slugs that a public address has, and whose it is; `nil` when there is none.
    func queue(_ name: String, tenant tenantName: String) async throws -> Found? {
        guard let tenant = try await tenants.find(tenantName), let queue = try await queues.find(name, of: tenant.id) else { return nil }
        return (queue, tenant)
    }
}

extension Queue {
    /// The hosts that addresses to return to may name.
    func returnHosts(of tenant: Tenant) -> [String] { returnHosts.isEmpty ? [tenant.domain] : returnHosts }
}
