import WaitingRoom

/// A person of a walk-in line and the place they have, in the shapes of the MicroQ dialect.
struct WalkInBody {
    let entry: Entry
    let queue: Queue
    let tenant: Tenant
    /// Whether whoever reads it sees the name only as the queue shows it to anybody.
    let hidesName: Bool

    private var status: String {
        switch (entry.state, entry.deskState) {
        case (.waiting, _): "waiting"
        case (.released, .called): "called"
        case (.released, .noShow): "no_show"
        case (.released, .transferred): "transferred"
        case (.released, nil): "served"
        case (.expired, _): "expired"
        case (.cancelled, _): "cancelled"
        }
    }

    private var id: JSON.Member { .init("id", .string(entry.id.description)) }
    private var name: JSON.Member { .init("name", .string(hidesName ? entry.name(in: queue) : entry.name)) }
    private var joined: JSON.Member { .init("joined_at", .string(entry.joined.withOffset)) }
    private var state: JSON.Member { .init("status", .string(status)) }
    private var scope: [JSON.Member] { [.init("tenant_id", .string(tenant.slug)), .init("queue_id", .string(queue.slug))] }
    private var serviceTypeID: JSON.Member { .init("service_type_id", .optional(entry.serviceType?.id.description)) }
    private var serviceType: [JSON.Member] {
        [
            .init("service_type_name", .optional(entry.serviceType?.name)),
            .init("service_type_code", .optional(entry.serviceType?.code)),
        ]
    }
    private var served: [JSON.Member] {
        guard entry.state == .released, entry.deskState == nil, let finished = entry.finished else { return [] }
        return [.init("served_at", .string(finished.withOffset))]
    }
    private var desk: [JSON.Member] { entry.desk.map { [.init("desk", .string($0))] } ?? [] }

    /// The entry, as join, status, leave and the steps of a desk answer it.
    var json: JSON { .object([id, name, joined, serviceTypeID] + serviceType + scope + [state] + served + desk) }

    /// The entry as `serve-next` and `call-next` answer it.
    var servedJSON: JSON { .object([id, name, serviceTypeID] + serviceType + [state] + served + scope + desk) }

    /// One line of the list.
    func row(averageMinutes: Double) -> JSON {
        .object(
            [id, name, .init("position", .integer(entry.position))] + serviceType
                + [.init("eta_minutes", Self.eta(entry.position, averageMinutes)), state, joined])
    }

    /// One line of the calls.
    func call(_ call: DeskCall) -> JSON {
        .object(
            [id, name] + serviceType + [state, .init("desk", .optional(entry.desk))]
                + [.init("called_at", .string(call.called.withOffset)), .init("times_called", .integer(call.times))])
    }

    /// Minutes until it is the turn of the one at `position`: position × average, as the contract has it.
    static func eta(_ position: Int, _ averageMinutes: Double) -> JSON {
        .decimal((Double(position) * averageMinutes * 1000).rounded() / 1000)
    }
}

extension Room {
    /// The person as the desk sees them; of the queue that they are in now, which may be another than `queue`.
    /// - Parameter hidesName: whether anybody may be reading.
    func walkInBody(_ entry: Entry, _ queue: Queue, _ tenant: Tenant, hidesName: Bool = false) async throws -> WalkInBody {
        var home = queue
        if entry.queue != queue.id, let other = try await queues.recent(entry.queue) { home = other }
        return WalkInBody(entry: entry, queue: home, tenant: tenant, hidesName: hidesName)
    }
}
