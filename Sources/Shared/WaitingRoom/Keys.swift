/// Every key of one queue. They share the hash tag `{q:<queue>}`, so that one script may touch them all on a Redis Cluster.
package struct QueueKeys: Sendable, Equatable {
    /// Hash: what the queue is and how it behaves. Its existence is the queue's.
    package let settings: String
    /// Sorted set: who waits, by sequence number (`place.lua`).
    package let waiting: String
    /// Hash: what is known of each person, waiting or finished (`record.lua`).
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
    /// Hash: who was handed over to another queue and may not have arrived there (`hand_over-11.lua`).
    package let transfers: String
    /// Streams: how the queue did, by the ms when each minute and each hour ended (`measure-6.lua`).
    package let minutes: String
    package let hours: String
    /// Hash: what is wrong with the queue, and who was told (`incident.lua`).
    package let incidents: String
    /// String: which worker looks after the queue.
    package let lock: String

    package init(_ queue: Identifier) {
        let tag = "{q:\(queue.compact)}:"
        settings = tag + "settings"
        waiting = tag + "waiting"
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
        minutes = tag + "minutes"
        hours = tag + "hours"
        incidents = tag + "incidents"
        lock = tag + "lock"
    }

    /// All but what the queue is, who looks after it and what is wrong with it.
    var contents: [String] {
        [
            waiting, entries, ready, expired, rejected, bucket, counters, days, outbox, callbacks, deliveries, dead, deadLetters, durations,
            desks, typed, serviceTypes, events, transfers, minutes, hours,
        ]
    }
}

/// The keys that belong to no queue.
package enum CatalogueKeys {
    private static let tag = "{catalogue}:"

    /// Hash: slug → tenant id, and `<tenant id>/<slug>` → queue id.
    package static let slugs = tag + "slugs"
    /// Sorted sets of ids by the ms of creation.
    package static let tenants = tag + "tenants"
    package static let queues = tag + "queues"
    package static func queues(of tenant: Identifier) -> String { tag + "queues:" + tenant.compact }
    /// Hash: e-mail address → account id; sorted set: account ids.
    package static let emails = tag + "emails"
    package static let accounts = tag + "accounts"
    /// Streams: the audit log, of all and of one application.
    package static let audit = tag + "audit"
    package static func audit(of tenant: Identifier) -> String { tag + "audit:" + tenant.compact }
    /// Sorted set: workers by the ms of their last sign of life.
    package static let workers = tag + "workers"
    /// Hash: what is wrong with the service as a whole, and who was told (`incident.lua`).
    package static let incidents = tag + "incidents"
    /// String: the secret key made at the first start in development.
    package static let secret = tag + "secret"

    package static func tenant(_ tenant: Identifier) -> String { "{t:\(tenant.compact)}:record" }
    package static func account(_ account: Identifier) -> String { "{a:\(account.compact)}:record" }
    /// String: that a session was ended before its time.
    package static func endedSession(_ session: Identifier) -> String { "{s:\(session.compact)}:ended" }
    package static func limit(_ name: String) -> String { "{limit:\(name)}" }
}
