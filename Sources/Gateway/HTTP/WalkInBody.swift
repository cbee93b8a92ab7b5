import WaitingRoom

/// A person of a walk-in line and the place they have, in the shapes of the MicroQ dialect.
struct WalkInBody {
    let entry: Entry
    let queue: Queue
    let tenant: Tenant

    private var status: String {
        switch entry.state {
        case .waiting: "waiting"
        case .released: "served"
        case .expired: "expired"
        case .cancelled: "cancelled"
        }
    }

    private var id: JSON.Member { .init("id", .string(entry.id.description)) }
    private var name: JSON.Member { .init("name", .string(entry.name)) }
    private var joined: JSON.Member { .init("joined_at", .string(entry.joined.withOffset)) }
    private var state: JSON.Member { .init("status", .string(status)) }
    private var scope: [JSON.Member] { [.init("tenant_id", .string(tenant.slug)), .init("queue_id", .string(queue.slug))] }
    private var served: [JSON.Member] {
        guard entry.state == .released, let finished = entry.finished else { return [] }
        return [.init("served_at", .string(finished.withOffset))]
    }

    /// The entry, as join, status and leave answer it.
    var json: JSON {
        .object([id, name, joined, .init("service_type_id", .null)] + Self.noServiceType + scope + [state] + served)
    }

    /// The entry as `serve-next` answers it.
    var servedJSON: JSON {
        .object([id, name, .init("service_type_id", .null)] + Self.noServiceType + [state] + served + scope)
    }

    /// One line of the list.
    func row(averageMinutes: Double) -> JSON {
        .object(
            [id, name, .init("position", .integer(entry.position))] + Self.noServiceType
                + [.init("eta_minutes", Self.eta(entry.position, averageMinutes)), state, joined])
    }

    private static let noServiceType: [JSON.Member] = [.init("service_type_name", .null), .init("service_type_code", .null)]

    /// Minutes until it is the turn of the one at `position`: position × average (contract/microq.md, "ETA").
    static func eta(_ position: Int, _ averageMinutes: Double) -> JSON {
        .decimal((Double(position) * averageMinutes * 1000).rounded() / 1000)
    }
}
