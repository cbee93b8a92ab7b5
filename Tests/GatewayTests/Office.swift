import Testing
import WaitingRoom

@testable import Gateway

/// A gateway with two applications that must not see each other, and everybody who may sign in.
struct Office: Sendable {
    struct Owned: Sendable {
        let tenant: Tenant
        let secret: String
        let queue: Queue
        let admin: String
        let viewer: String
    }

    let site: Site
    let superAdmin: String
    let one: Owned
    let other: Owned

    static func with(_ body: @Sendable @escaping (Office) async throws -> Void) async throws {
        try await withGateway { site in
            let office = Office(
                site: site, superAdmin: try await site.signedIn(.superAdmin), one: try await owned(site, "one"),
                other: try await owned(site, "other"))
            try await body(office)
        }
    }

    private static func owned(_ site: Site, _ name: String) async throws -> Owned {
        let draft = Tenants.Draft(name: name, domain: "\(name).example", slug: name)
        let (tenant, secret) = try #require(try await site.room.tenants.create(draft))
        let queue = try #require(try await site.room.queues.create(tenant: tenant.id, name: "\(name) queue", slug: "main"))
        return Owned(
            tenant: tenant, secret: secret, queue: queue, admin: try await site.signedIn(.tenantAdmin, of: tenant.id),
            viewer: try await site.signedIn(.viewer, of: tenant.id))
    }

    /// Lets `count` people join, and `release` of them in.
    @discardableResult
    func join(_ owned: Owned, _ count: Int, release: Int = 0) async throws -> [Queues.Joined] {
        var joined: [Queues.Joined] = []
        for number in 0..<count {
            joined.append(try #require(try await site.room.queues.join(.init(queue: owned.queue, visitor: "v\(number)"))))
        }
        if release > 0 {
            var fast = owned.queue
            fast.ratePerMinute = Double(60 * release)
            _ = try await site.room.queues.update(fast)
            var released = 0
            while released < release { released += try await site.room.queues.release(owned.queue.id).people.count }
            _ = try await site.room.queues.update(owned.queue)
        }
        return joined
    }
}
