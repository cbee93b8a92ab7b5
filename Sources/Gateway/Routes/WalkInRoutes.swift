import Foundation
import HTTPTypes
import Hummingbird
import WaitingRoom

/// The MicroQ dialect: walk-in lines named by the slugs of tenant and queue.
enum WalkInRoutes {
    static func all(room: Room) -> [Route] {
        WalkInQueueRoutes(room: room).routes + WalkInPlaceRoutes(room: room).routes + ServiceTypeRoutes(room: room).routes
            + DeskRoutes(room: room).routes + EventRoutes(room: room).routes + WalkInPageRoutes(room: room).routes
    }
}

extension Room {
    typealias WalkInQueue = (queue: Queue, tenant: Tenant)

    /// The queue that the path names.
    /// - Throws: ``GatewayError`` 404.
    func walkInQueue(_ context: GatewayContext) async throws -> WalkInQueue {
        guard let tenant = try await walkInTenant(context),
            let queue = try await queues.find(try context.parameter("queue"), of: tenant.id)
        else { throw GatewayError.queueNotFound }
        return (queue, tenant)
    }

    /// The tenant that the path names; `nil` where there is none, or it was switched off.
    func walkInTenant(_ context: GatewayContext) async throws -> Tenant? {
        guard let tenant = try await tenants.find(try context.parameter("tenant")), tenant.isActive else { return nil }
        return tenant
    }

    func carriesAdminKey(_ request: Request, of queue: Queue) -> Bool {
        request.headers[.adminKey].map { AdminKey($0).opens(queue) } ?? false
    }

    /// - Throws: ``GatewayError`` 403 unless the request carries the queue's admin key.
    func checkAdminKey(_ request: Request, of queue: Queue) throws {
        guard carriesAdminKey(request, of: queue) else { throw GatewayError.invalidAdminKey }
    }

    /// - Throws: ``GatewayError`` 403 where the queue is private and the request does not carry its admin key.
    func checkPublic(_ request: Request, _ queue: Queue) throws {
        if !queue.isPublic { try checkAdminKey(request, of: queue) }
    }
}

extension GatewayError {
    static let invalidAdminKey = GatewayError(
        status: .forbidden, code: "invalid_admin_key",
        message: "Missing or invalid X-Admin-Key: send the key that the answer to the queue's creation held")
}

extension Fields {
    /// Notes a `tenant_id` or `queue_id` that does not repeat the path's.
    mutating func checkScope(_ context: GatewayContext, queue: Bool) throws {
        for (field, parameter) in [("tenant_id", "tenant")] + (queue ? [("queue_id", "queue")] : []) {
            let named = try context.parameter(parameter)
            guard let text = optionalText(field), text != named else { continue }
            note(field, type: "value_error", "Input should be \(named), as in the path, or left out")
        }
    }

    /// A name as people type it: 1 to 200 characters, blanks around it left out.
    mutating func walkInName() -> String { trimmedText("name", length: 1...200) }

    /// A required text without the blanks around it.
    mutating func trimmedText(_ name: String, length: ClosedRange<Int>) -> String {
        let before = problems.count
        let text = text(name).trimmingCharacters(in: .whitespacesAndNewlines)
        if problems.count == before, !length.contains(text.unicodeScalars.count) {
            note(
                name, type: "string_length",
                "String should have \(length.lowerBound) to \(length.upperBound) characters beside blanks around it")
        }
        return text
    }
}
