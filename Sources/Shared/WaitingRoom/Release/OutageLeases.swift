package import Logging
import Redis
import ServiceLifecycle
import Synchronization

/// What a gateway may do for the first in line while Redis is away, where a queue says `on_outage: lease`: it borrows them beforehand, once
/// a second, for a few seconds (`lease-4.lua`). When Redis cannot be reached it lets those of them in who poll here, and tells Redis as
/// soon as it is back (`settle_lease-11.lua`). An application with a rate of its own is lent nobody: only workers share that out.
///
/// A lease's life is counted from before it was asked for, by a clock that no one sets: it is over here before it is over in Redis. Whom a
/// gateway has let in and not told of is forgotten when it is killed: they are let in again, under the same ids, when it is their turn.
package final class OutageLeases: Service, Sendable {
    private struct Lease {
        let entries: Set<Identifier>
        let taken: ContinuousClock.Instant
        /// Redis's clock when it was taken.
        let now: Timestamp
    }

    private struct State {
        /// Queues that somebody waits for here, their tenants, and when somebody last polled.
        var wanted: [Identifier: (tenant: Identifier, at: ContinuousClock.Instant)] = [:]
        var leases: [Identifier: Lease] = [:]
        /// Whom this gateway has let in and Redis does not know of yet.
        var spent: [Identifier: (ticket: Ticket, released: Timestamp)] = [:]
    }

    private static let life = Duration.seconds(3)
    private static let interval = Duration.seconds(1)
    /// How long after the last poll a queue's lease is renewed.
    private static let interest = Duration.seconds(60)
    private static let peopleAtOnce = 50

    private let queues: Queues
    private let tenants: Tenants
    private let logger: Logger
    private let state = Mutex(State())
    private let owes = Atomic(false)

    package init(queues: Queues, tenants: Tenants, logger: Logger) {
        self.queues = queues
        self.tenants = tenants
        self.logger = logger
    }

    /// Notes that somebody waits in a queue here.
    package func want(_ queue: Queue) {
        guard queue.onOutage == .lease else { return }
        state.withLock { $0.wanted[queue.id] = (queue.tenant, .now) }
    }

    /// Whether there are people of whom Redis does not know yet that they were let in.
    package var owesRedis: Bool { owes.load(ordering: .relaxed) }

    /// The entry of somebody whom this gateway has let in, of which Redis may not know yet.
    package func spent(_ ticket: Ticket) -> Entry? {
        guard owesRedis else { return nil }
        return state.withLock { $0.spent[ticket.entry].map { Self.entry($0.ticket, released: $0.released) } }
    }

    /// Lets the holder of a ticket in while Redis is away, if they are lent to this gateway.
    package func spend(_ ticket: Ticket) -> Entry? {
        state.withLock { state in
            if let known = state.spent[ticket.entry] { return Self.entry(known.ticket, released: known.released) }
            guard let lease = state.leases[ticket.queue], lease.entries.contains(ticket.entry) else { return nil }
            let age = lease.taken.duration(to: .now)
            guard age < Self.life else { return nil }
            let released = lease.now.adding(milliseconds: age.milliseconds)
            state.spent[ticket.entry] = (ticket, released)
            owes.store(true, ordering: .relaxed)
            return Self.entry(ticket, released: released)
        }
    }

    private static func entry(_ ticket: Ticket, released: Timestamp) -> Entry {
        Entry(
            queue: ticket.queue, id: ticket.entry, sequence: ticket.sequence, visitor: ticket.visitor, state: .released,
            joined: ticket.joined, finished: released, position: 0, queueLength: 0, lastSeen: nil)
    }

    /// Renews the leases and settles what was spent, until shut down; then settles what is left.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.settle()
                await self.renew()
                try? await Task.sleep(for: Self.interval)
            }
        }
        await settle()
    }

    /// Borrows again for every queue that somebody waits for here.
    package func renew() async {
        let wanted = state.withLock { state in
            state.wanted = state.wanted.filter { $0.value.at.duration(to: .now) < Self.interest }
            state.leases = state.leases.filter { state.wanted[$0.key] != nil }
            return state.wanted.mapValues(\.tenant)
        }
        for (queue, tenant) in wanted {
            guard let tenant = try? await tenants.recent(tenant) else { continue }
            guard tenant.isActive, tenant.ratePerMinute == nil else {
                state.withLock { $0.leases[queue] = nil }
                continue
            }
            let taken = ContinuousClock.now
            guard let (now, entries) = try? await queues.lease(queue, life: Self.life) else { return }
            state.withLock { $0.leases[queue] = Lease(entries: entries, taken: taken, now: now) }
        }
    }

    /// Tells Redis whom this gateway has let in.
    package func settle() async {
        guard owesRedis else { return }
        let owed = Dictionary(grouping: state.withLock { Array($0.spent.values) }, by: \.ticket.queue)
        for (queue, all) in owed {
            for start in stride(from: 0, to: all.count, by: Self.peopleAtOnce) {
                let people = all[start..<min(start + Self.peopleAtOnce, all.count)]
                do {
                    let released = try await queues.settleLease(queue, people.map { ($0.ticket, $0.released) })
                    logger.notice(
                        "People were let in from a lease while Redis was away",
                        metadata: ["queue_id": "\(queue)", "people": "\(people.count)", "written": "\(released)"])
                } catch {
                    return
                }
                state.withLock { state in
                    for person in people { state.spent[person.ticket.entry] = nil }
                    if state.spent.isEmpty { owes.store(false, ordering: .relaxed) }
                }
            }
        }
    }
}

extension Queues {
    /// Borrows the first in line for a while (`lease-4.lua`).
    /// - Returns: Redis's clock, and who they are.
    func lease(_ queue: Identifier, life: Duration) async throws(RedisError) -> (Timestamp, Set<Identifier>) {
        let keys = QueueKeys(queue)
        let reply = try await redis.evaluate(
            Scripts.lease, keys: [keys.settings, keys.waiting, keys.bucket, keys.counters],
            arguments: [.integer(life.milliseconds), .integer(Int64(rebuildSeconds) * 1000)])
        let values = reply.array ?? []
        let entries = values.dropFirst().compactMap { $0.string.flatMap(Identifier.init(compact:)) }
        return (Timestamp(milliseconds: values.first?.integer ?? 0), Set(entries))
    }

    /// Writes down whom a gateway has let in from a lease (`settle_lease-11.lua`).
    /// - Returns: how many of them had not been let in meanwhile.
    func settleLease(_ queue: Identifier, _ people: [(ticket: Ticket, released: Timestamp)]) async throws(RedisError) -> Int {
        // Reading the queue gives it back first, should Redis have lost it.
        guard let keys = try await get(queue)?.keys else { return 0 }
        let reply = try await redis.evaluate(
            Scripts.settleLease,
            keys: [
                keys.settings, keys.waiting, keys.entries, keys.ready, keys.outbox, keys.counters, keys.days, keys.typed, keys.events,
                keys.visitors, keys.sessions,
            ],
            arguments: people.flatMap { person -> [RedisArgument] in
                [
                    .string(person.ticket.entry.compact), .integer(person.ticket.sequence), .integer(person.ticket.joined.milliseconds),
                    .string(person.ticket.visitor), .integer(person.released.milliseconds),
                ]
            })
        return Int(reply.integer ?? 0)
    }
}
