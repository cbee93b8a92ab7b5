import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("watch-9.lua, note_incident-1.lua, claim_notice-1.lua, settle_notice-1.lua")
struct IncidentScriptTests {
    private let lease = Duration.seconds(40)

    /// A line's incidents, and short words for what tests do with them.
    private struct Watched: Sendable {
        let line: Line
        let incidents: Incidents
        var limits: Incidents.Limits

        init(_ line: Line, threshold: Int = 1000, change: (inout Incidents.Limits) -> Void = { _ in }) {
            self.line = line
            incidents = Incidents(redis: line.redis)
            limits = Incidents.Limits(waiting: threshold)
            change(&limits)
        }

        /// What `workers` that look at the same time find changed, all together.
        func changes(workers: Int = 1, isServed: Bool = true) async throws -> [Incident] {
            try await withThrowingTaskGroup(of: [Incident].self) { group in
                for _ in 0..<workers { group.addTask { try await look(isServed: isServed).changes } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
        }

        func look(isServed: Bool = true) async throws -> Incidents.Look {
            try await incidents.watch(line.queue, isServed: isServed, limits: limits, channels: ["mail", "webhook"])
        }

        func states(workers: Int = 1) async throws -> [String] {
            try await changes(workers: workers).map { "\($0.kind.rawValue) \($0.state.rawValue)" }
        }

        func claim(_ channel: String, lease: Duration) async throws -> Incidents.Notice? {
            try await incidents.claim(of: line.queue, channel: channel, lease: lease)
        }

        /// What a channel is told until it is owed nothing.
        func told(_ channel: String) async throws -> [Incident.State] {
            var states: [Incident.State] = []
            while let notice = try await claim(channel, lease: .seconds(40)) {
                states.append(notice.incident.state)
                try await incidents.settle(notice)
            }
            return states
        }
    }

    @Test("a line above its threshold is one incident, however many look; one that hovers about it stays one")
    func tooLong() async throws {
        try await Line.with { line in
            let watched = Watched(line, threshold: 10) { $0.calm = .milliseconds(100) }
            var people: [Queues.Joined] = []
            for index in 0..<10 { people.append(try await line.join("v\(index)")) }
            #expect(try await watched.states(workers: 20).isEmpty)
            people.append(try await line.join("one more"))
            let opened = try await watched.changes(workers: 20)
            #expect(opened.map(\.kind) == [.queueTooLong])
            #expect(opened.first?.value == 11)
            #expect(opened.first?.detail == "10")
            #expect(opened.first?.queueName == "Drop")
            #expect(try await watched.states(workers: 20).isEmpty)
            // At the threshold it is calm, above it once more not: the calm begins anew.
            #expect(try await line.queues.cancel(line.ticket(people[0])))
            #expect(try await watched.states().isEmpty)
            try await line.join("again")
            try await Task.sleep(for: .milliseconds(150))
            #expect(try await watched.states().isEmpty)
            #expect(try await line.queues.cancel(line.ticket(people[1])))
            #expect(try await watched.states().isEmpty)
            try await eventually("it was calm for long enough") { try await watched.states() == ["queue_too_long resolved"] }
            try await line.join("another")
            #expect(try await watched.states() == ["queue_too_long open"])
            // Nine tenths of the threshold are enough at once.
            for person in people[2...3] { #expect(try await line.queues.cancel(line.ticket(person))) }
            #expect(try await watched.states(workers: 20) == ["queue_too_long resolved"])
        }
    }

    @Test("each channel gets one notice of the beginning and one of the end, by one of many workers")
    func onceEach() async throws {
        try await Line.with { line in
            let watched = Watched(line, threshold: 1)
            let first = try await line.join("a")
            try await line.join("b")
            #expect(try await watched.look().isOwed)
            for channel in ["mail", "webhook"] {
                let notices = try await withThrowingTaskGroup(of: Incidents.Notice?.self) { group in
                    for _ in 0..<20 { group.addTask { try await watched.claim(channel, lease: lease) } }
                    return try await group.reduce(into: [Incidents.Notice]()) { if let notice = $1 { $0.append(notice) } }
                }
                let notice = try #require(notices.first)
                #expect(notices.count == 1)
                #expect(notice.incident.state == .open)
                #expect(notice.incident.queue == line.queue.id)
                try await watched.incidents.settle(notice)
            }
            #expect(try await watched.look().isOwed == false)
            #expect(try await line.queues.cancel(line.ticket(first)))
            // One is neither above the threshold of one nor at nine tenths of it.
            var patient = watched
            patient.limits.calm = .zero
            let look = try await patient.look()
            #expect(look.changes.map(\.state) == [.resolved])
            #expect(look.changes.first?.until != nil)
            #expect(look.isOwed)
            #expect(try await watched.told("mail") == [.resolved])
            #expect(try await watched.told("webhook") == [.resolved])
            #expect(try await watched.look().isOwed == false)
        }
    }

    @Test("a notice that a dead worker had claimed comes back when its lease is over")
    func abandoned() async throws {
        try await Line.with { line in
            let watched = Watched(line, threshold: 1)
            for name in ["a", "b"] { try await line.join(name) }
            _ = try await watched.look()
            #expect(try await watched.claim("mail", lease: .milliseconds(100)) != nil)
            #expect(try await watched.claim("mail", lease: lease) == nil)
            try await eventually("it is owed again") { try await watched.told("mail") == [.open] }
        }
    }

    @Test("an attempt that failed is counted and put off, and holds up no other channel")
    func failed() async throws {
        try await Line.with { line in
            let watched = Watched(line, threshold: 1)
            for name in ["a", "b"] { try await line.join(name) }
            _ = try await watched.look()
            let notice = try #require(try await watched.claim("mail", lease: lease))
            try await watched.incidents.settle(notice, retryAfter: .milliseconds(100))
            #expect(try await watched.told("webhook") == [.open])
            let again = Locked<Incidents.Notice?>(nil)
            try await eventually("it is due again") {
                again.set(try await watched.claim("mail", lease: lease))
                return again.get() != nil
            }
            #expect(again.get()?.attempts == 1)
            // A pause longer than any that is made was set before the clock went back.
            try await watched.incidents.settle(try #require(again.get()), retryAfter: .seconds(7200))
            #expect(try await watched.told("mail") == [.open])
        }
    }

    @Test("the end waits for the beginning that is under way; of what was over before it could be told, the end is told")
    func order() async throws {
        try await Line.with { line in
            let watched = Watched(line, threshold: 1) { $0.calm = .zero }
            let first = try await line.join("a")
            try await line.join("b")
            _ = try await watched.look()
            let mail = try #require(try await watched.claim("mail", lease: lease))
            let webhook = try #require(try await watched.claim("webhook", lease: lease))
            #expect(try await line.queues.cancel(line.ticket(first)))
            #expect(try await watched.states() == ["queue_too_long resolved"])
            #expect(try await watched.claim("mail", lease: lease) == nil)
            try await watched.incidents.settle(mail)
            #expect(try await watched.told("mail") == [.resolved])
            try await watched.incidents.settle(webhook, retryAfter: .zero)
            #expect(try await watched.told("webhook") == [.resolved])
            // A late word of the beginning changes nothing.
            try await watched.incidents.settle(mail)
            #expect(try await watched.told("mail").isEmpty)
        }
    }

    @Test("a channel that is new hears of what is open, and not of the end of what it never heard of")
    func newChannel() async throws {
        try await Line.with { line in
            let watched = Watched(line, threshold: 1) { $0.calm = .zero }
            let first = try await line.join("a")
            try await line.join("b")
            _ = try await watched.look()
            #expect(try await watched.told("mail") == [.open])
            #expect(try await watched.told("new") == [.open])
            #expect(try await line.queues.cancel(line.ticket(first)))
            _ = try await watched.look()
            #expect(try await watched.told("newer").isEmpty)
            #expect(try await watched.told("new") == [.resolved])
        }
    }

    @Test("nobody let in while people wait is an incident, until somebody is, by a worker or a desk")
    func stalled() async throws {
        try await Line.with(rate: 60_000) { line in
            let watched = Watched(line) { $0.standstill = .milliseconds(50) }
            for index in 0..<600 { try await line.join("v\(index)") }
            #expect(try await watched.states(workers: 20).isEmpty)
            let opened = Locked<[Incident]>([])
            try await eventually("it is noticed") {
                opened.set(try await watched.changes(workers: 20))
                return !opened.get().isEmpty
            }
            #expect(opened.get().map(\.kind) == [.releaseStalled])
            #expect(opened.get().first?.value == 600)
            // Nobody new at the front and no time without a look ends it, but a release does.
            var unwatched = watched
            unwatched.limits.unwatched = .zero
            #expect(try await unwatched.states().isEmpty)
            #expect(try await line.queues.release(line.queue.id).people.count > 0)
            #expect(try await watched.states(workers: 20) == ["release_stalled resolved"])
            try await eventually("it is noticed again") { try await watched.states() == ["release_stalled open"] }
            _ = try await line.queues.desk("1", of: line.queue.id).call()
            #expect(try await watched.states() == ["release_stalled resolved"])
        }
    }

    @Test(
        "no standstill: paused, switched off, by hand, of a tenant that is off, nobody waits, or nobody looked",
        arguments: ["paused", "off", "by hand", "tenant off", "empty", "unwatched"])
    func notStalled(how: String) async throws {
        try await Line.with(rate: how == "by hand" ? 0 : 60_000) { line in
            let watched = Watched(line) {
                $0.standstill = .milliseconds(1)
                if how == "unwatched" { $0.unwatched = .zero }
            }
            if how != "empty" { try await line.join() }
            var queue = line.queue
            if how == "paused" { queue.state = .paused }
            if how == "off" { queue.isActive = false }
            #expect(try await line.queues.update(queue))
            for _ in 0..<5 {
                #expect(try await watched.changes(isServed: how != "tenant off").isEmpty)
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    @Test("callbacks given up are an incident that names the last error, until there were none for a while")
    func callbacks() async throws {
        try await Line.with { line in
            let watched = Watched(line)
            #expect(try await watched.states().isEmpty)
            for _ in 0..<2 {
                try await line.join()
                try await line.releaseOne()
                let callback = try #require(try await line.callbacks.claim(line.queue.id, limit: 1, lease: lease).callbacks.first)
                _ = try await line.callbacks.settle(callback, tenant: line.tenant.id, .dead(error: "HTTP \"500\"", status: 500))
            }
            let opened = try await watched.changes(workers: 20)
            #expect(opened.map(\.kind) == [.callbacksFailing])
            #expect(opened.first?.value == 2)
            #expect(opened.first?.detail == "HTTP \"500\"")
            #expect(try await watched.states().isEmpty)
            var later = watched
            later.limits.callbackGivenUp = .milliseconds(10)
            let resolving = later
            try await eventually("they are old") { try await resolving.states(workers: 20) == ["callbacks_failing resolved"] }
        }
    }

    @Test("incidents are listed while they are open, and those of a deleted queue are gone")
    func listed() async throws {
        try await Line.with { line in
            let watched = Watched(line, threshold: 1)
            for name in ["a", "b"] { try await line.join(name) }
            let opened = try await watched.changes()
            #expect(try await watched.incidents.open(of: [line.queue]) == opened)
            _ = try await watched.claim("mail", lease: lease)
            #expect(try await line.queues.delete(line.queue.id, retentionHours: 24))
            #expect(try await watched.incidents.open(of: [line.queue]).isEmpty)
            #expect(try await watched.look() == Incidents.Look(changes: [], isOwed: false))
            try await watched.incidents.settle(
                Incidents.Notice(incident: try #require(opened.first), channel: "mail", attempts: 0), retryAfter: .zero)
            #expect(try await line.redis.send(RedisCommand("EXISTS", .string(line.keys.incidents))).integer == 0)
        }
    }

    @Test("full memory keeps nobody from hearing of it")
    func fullMemory() async throws {
        try await Line.with { line in
            let watched = Watched(line, threshold: 1)
            for name in ["a", "b"] { try await line.join(name) }
            _ = try await line.redis.send(RedisCommand("CONFIG", "SET", "maxmemory", "1"))
            #expect(try await watched.states() == ["queue_too_long open"])
            #expect(try await watched.told("mail") == [.open])
            let look = try await watched.incidents.note(
                .redisUnwell, .bad, problem: "full", limits: watched.limits, channels: ["mail"])
            #expect(look.changes.map(\.detail) == ["full"])
        }
    }

    @Test("an incident that was told while Redis was away: who was told hears the end, and so does who could not be told")
    func kept() async throws {
        try await Line.with { line in
            let incidents = Incidents(redis: line.redis)
            let limits = Incidents.Limits(waiting: 1)
            let channels = ["mail", "webhook", "new"]
            let incident = Incident(
                kind: .redisUnwell, state: .open, since: Timestamp(milliseconds: Timestamp.now().milliseconds - 20_000), detail: "away")
            try await incidents.keep(incident, told: ["mail": true, "webhook": false])
            #expect(try await incidents.openOfService() == [incident])
            #expect(try await incidents.claim(of: nil, channel: "mail", lease: lease) == nil)
            let look = try await incidents.note(.redisUnwell, .good, problem: "", limits: limits, channels: channels)
            #expect(look.changes.map(\.state) == [.resolved])
            #expect(look.isOwed)
            for (channel, hears) in zip(channels, [true, true, false]) {
                let notice = try await incidents.claim(of: nil, channel: channel, lease: lease)
                #expect(notice?.incident.state == (hears ? .resolved : nil))
                #expect(notice?.incident.since == (hears ? incident.since : nil))
            }
            #expect(try await incidents.openOfService().isEmpty)
        }
    }

    @Test("an incident told while Redis was away that somebody has opened there meanwhile is not told twice")
    func keptOver() async throws {
        try await Line.with { line in
            let incidents = Incidents(redis: line.redis)
            _ = try await incidents.note(.redisUnwell, .bad, problem: "full", limits: Incidents.Limits(waiting: 1), channels: ["mail"])
            try await incidents.keep(
                Incident(kind: .redisUnwell, state: .open, since: Timestamp.now(), detail: "away"), told: ["mail": true])
            #expect(try await incidents.claim(of: nil, channel: "mail", lease: lease) == nil)
            // Once told, a later outage that could not be told takes nothing back.
            try await incidents.keep(
                Incident(kind: .redisUnwell, state: .open, since: Timestamp.now(), detail: "away"), told: ["mail": false])
            #expect(try await incidents.claim(of: nil, channel: "mail", lease: lease) == nil)
        }
    }
}
