/// Every key of one queue. They share the hash tag `{q:<queue>}`, so that one script may touch them all on a Redis Cluster.
package final class QueueKeys: Sendable, Equatable {
    /// Hash: what the queue is and how it behaves. Its existence is the queue's.
    package let settings: String
    /// Sorted set: who waits, by sequence number (`place.lua`).
    package let waiting: String
    /// Stream: what is known of each person who waits, by sequence number (`record.lua`).
    package let visitors: String
    /// Hash: what is known of each person who has finished (`record.lua`).
    package let entries: String
    /// Sorted sets: who was let in, fell silent or left, by the ms when.
    package let ready: String
    package let expired: String
    package let rejected: String
    /// Hash: the token bucket of the rate.
    package let bucket: String
    /// Hash: totals since the queue was made, and the sequence number.
    package let counters: String
    /// Hash: totals by day, `joined:<days since 1970>` and so on, for 31 days.
    package let days: String
    /// Sorted set: callbacks owed, by the ms when the next attempt is due.
    package let outbox: String
    /// Hashes: callbacks that failed and will be tried again, and those delivered (`callback.lua`).
    package let callbacks: String
    package let deliveries: String
    /// Sorted set and hash: callbacks given up, by the ms when, and their letters.
    package let dead: String
    package let deadLetters: String
    /// List: "<ms that it took>:<ms from joining>" of the latest services at desks, newest first.
    package let durations: String
    /// Hash: the last step of each desk (`desk.lua`).
    package let desks: String
    /// Sorted set: who waits for which service type (`walk_in.lua`).
    package let typed: String
    /// Hash: service types, id → "<code>\u{1F}<name>".
    package let serviceTypes: String
    /// Stream: what happened to people of a walk-in line (`walk_in.lua`).
    package let events: String
    /// Hash: who was handed over to another queue and may not have arrived there (`hand_over-16.lua`).
    package let transfers: String
    /// Sorted set: runs of people who had been let in before a loss, by their last sequence number (`tombstone.lua`).
    package let tombstones: String
    /// Streams: how the queue did, by the ms when each minute and each hour ended (`measure-6.lua`).
    package let minutes: String
    package let hours: String
    /// Hash: what is wrong with the queue, and who was told (`incident.lua`).
    package let incidents: String
    /// Hash: how the line stood a moment ago, for gateways (`view-5.lua`).
    package let view: String
    /// Sorted set: entries whose passes are good no more, by the ms of their revocation (`revoke-2.lua`).
    package let revoked: String
    /// Sorted set: who is inside, by the ms when their session ends (`sessions.lua`).
    package let sessions: String

    package init(_ queue: Identifier) {
        let tag = Self.tag(queue)
        settings = tag + "settings"
        waiting = tag + "waiting"
        visitors = tag + "visitors"
        entries = tag + "entries"
        ready = tag + "ready"
        expired = tag + "expired"
        rejected = tag + "rejected"
        bucket = tag + "bucket"
        counters = tag + "counters"
        days = tag + "days"
        outbox = tag + "outbox"
        callbacks = tag + "callbacks"
        deliveries = tag + "deliveries"
        dead = tag + "dead"
        deadLetters = tag + "dead_letters"
        durations = tag + "durations"
        desks = tag + "desks"
        typed = tag + "typed"
        serviceTypes = tag + "service_types"
        events = tag + "events"
        transfers = tag + "transfers"
        tombstones = tag + "tombstones"
        minutes = tag + "minutes"
        hours = tag + "hours"
        incidents = tag + "incidents"
        view = tag + "view"
        revoked = tag + "revoked"
        sessions = tag + "sessions"
    }

    /// Set: the entries that an invitation or a challenge was good for (`redeem.lua`); it goes when that ends.
    func redeemed(_ proof: Identifier) -> String { settings.dropLast("settings".count) + "redeemed:" + proof.compact }

    package static func == (left: QueueKeys, right: QueueKeys) -> Bool { left.settings == right.settings }

    /// ``settings`` alone: to make all keys takes many times as long.
    static func settings(of queue: Identifier) -> String { tag(queue) + "settings" }

    private static func tag(_ queue: Identifier) -> String { "{q:\(queue.compact)}:" }

    /// All but what the queue is and what is wrong with it.
    var contents: [String] {
        [
            waiting, visitors, entries, ready, expired, rejected, bucket, counters, days, outbox, callbacks, deliveries, dead, deadLetters,
            durations, desks, typed, serviceTypes, events, transfers, tombstones, minutes, hours, view, revoked, sessions,
        ]
    }
}

/// The keys that belong to no queue. What is a tenant's shares the tag of its record; so do all accounts, and the short lists that every
/// process reads as a whole.
package enum CatalogueKeys {
    private static let tag = "{catalogue}:"

    /// Hash: slug → tenant id.
    package static let slugs = tag + "slugs"
    /// Hash: slug → id, of a tenant's queues.
    package static func slugs(of tenant: Identifier) -> String { Self.tag(tenant) + "slugs" }
    /// Sorted sets of ids by the ms of creation.
    package static let tenants = tag + "tenants"
    package static let queues = tag + "queues"
    /// Sorted set: what was deleted and will go for good, by the second when that was noted (`Purge`).
    package static let deleted = tag + "deleted"
    package static func queues(of tenant: Identifier) -> String { Self.tag(tenant) + "queues" }
    /// Hash: e-mail address → account id; sorted set: account ids.
    package static let emails = "{accounts}:emails"
    package static let accounts = "{accounts}:index"
    /// Hash: how a tenant's own rate is shared among its queues (`apportion-1.lua`).
    package static func rate(of tenant: Identifier) -> String { Self.tag(tenant) + "rate" }
    /// Streams: the audit log, of all and of one application.
    package static let audit = "{audit}:log"
    package static func audit(of tenant: Identifier) -> String { Self.tag(tenant) + "audit" }
    /// Sorted set: workers by the ms of their last sign of life.
    package static let workers = tag + "workers"
    /// Hash: shard of queues → the worker that has it (`share-2.lua`).
    package static let shares = tag + "shares"
    /// Sorted set: gateways by the ms of their last sign of life.
    package static let gateways = tag + "gateways"
    /// Hash: what is wrong with the service as a whole, and who was told (`incident.lua`).
    package static let incidents = tag + "incidents"
    /// String: the secret key made at the first start in development.
    package static let secret = tag + "secret"

    package static func tenant(_ tenant: Identifier) -> String { Self.tag(tenant) + "record" }
    private static func tag(_ tenant: Identifier) -> String { "{t:\(tenant.compact)}:" }
    package static func account(_ account: Identifier) -> String { "{a:\(account.compact)}:record" }
    /// String: that a session was ended before its time.
    package static func endedSession(_ session: Identifier) -> String { "{s:\(session.compact)}:ended" }
    package static func limit(_ name: String) -> String { "{limit:\(name)}" }
}
