package import NIOCore
package import Redis
import ServiceLifecycle
import Synchronization

/// Tells places from the gateway's memory: for each queue that is asked about, a view that is fetched four times a second (`view-5.lua`),
/// and whom Redis has said to wait. So a poll costs Redis nothing but where it may be one of the next to be let in.
///
/// All gateways show a view from the same moment on. What changes in a line is seen here within 750 ms; how many have left far behind the
/// front, within some 2 seconds more in a line of a million; that somebody there was let in by hand or left elsewhere, with their second
/// poll (``SignsOfLife`` tells ``forget(_:in:)``).
package final class QueueViews: Service, Sendable {
    /// What is known of one who polls.
    package enum Look: Sendable {
        /// They wait at this place. `isSign`: it is the first poll since a while.
        case waiting(place: Int, view: QueueView, isSign: Bool)
        /// Redis must be asked, by ``ask(_:in:on:)``.
        case unknown
    }

    private static let refresh = Duration.milliseconds(250)
    /// How long after it was made a view is shown that no other follows: others may show a later one by then.
    private static let life = TimeAmount.milliseconds(900)
    /// A queue that nobody has asked about for so long is not refreshed, and one for so long is forgotten.
    private static let interest = TimeAmount.seconds(2)
    private static let memory = TimeAmount.seconds(60)
    private static let mostConfirmedAtOnce = 256

    private struct Shown {
        let view: QueueView
        let from: NIODeadline
        var until: NIODeadline
    }

    private struct Unconfirmed {
        let ticket: Ticket
        let mark: UInt8
        let promise: EventLoopPromise<Bool>
    }

    private struct State {
        /// The one that is shown, and those to come, the latest last.
        var views: [Shown] = []
        /// For whom Redis has said that they wait: when their last sign of life was noted, as ``mark(_:waitTTLSeconds:)`` tells time.
        var marks = SequenceMarks()
        /// The loss after which ``marks`` were begun.
        var lostAt: Int64 = 0
        var asked: NIODeadline
        /// On which it is fetched.
        let eventLoop: any EventLoop
        var fetching: [EventLoopPromise<Void>]?
        var unconfirmed: [ObjectIdentifier: [Unconfirmed]] = [:]

        mutating func shown(at now: NIODeadline) -> QueueView? {
            while views.count > 1, views[1].from <= now { views.removeFirst() }
            guard let first = views.first, first.until > now else { return nil }
            return first.view
        }
    }

    private final class Watch: Sendable {
        let queue: Identifier
        let epoch: Int32
        let keys: QueueKeys
        let state: Mutex<State>
        var viewKeys: [String] { [keys.waiting, keys.counters, keys.view, keys.sessions, keys.settings] }

        init(_ queue: Queue, _ eventLoop: any EventLoop) {
            self.queue = queue.id
            epoch = queue.epoch
            keys = queue.keys
            state = Mutex(State(asked: .now(), eventLoop: eventLoop))
        }
    }

    private let queues: Queues
    private let watches = Mutex<[Identifier: Watch]>([:])

    package init(queues: Queues) { self.queues = queues }

    // MARK: Asking

    /// What memory tells of the holder of a ticket.
    package func look(_ ticket: Ticket, in queue: Queue) -> Look {
        look(ticket.sequence, watch(queue), ratePerMinute: queue.currentRatePerMinute, waitTTLSeconds: queue.waitTTLSeconds)
    }

    /// ``look(_:in:)``, without a copy of either.
    package func look(_ signed: SignedTicket, in queue: RememberedQueue) -> Look {
        let known = watches.withLock { $0[signed.ticket.queue] }
        let watch = known?.epoch == queue.epoch ? known! : watch(queue.queue)
        return look(signed.ticket.sequence, watch, ratePerMinute: queue.ratePerMinute, waitTTLSeconds: queue.waitTTLSeconds)
    }

    private func look(_ sequence: Int64, _ watch: Watch, ratePerMinute: Double, waitTTLSeconds: Int) -> Look {
        let now = NIODeadline.now()
        let mark = Self.mark(now, waitTTLSeconds: waitTTLSeconds)
        return watch.state.withLock { state in
            state.asked = now
            guard let view = state.shown(at: now), let place = view.place(sequence), place > Self.zone(ratePerMinute) else {
                return .unknown
            }
            let marked = state.marks[sequence]
            if marked == 0 { return .unknown }
            if marked != mark { state.marks[sequence] = mark }
            return .waiting(place: place, view: view, isSign: marked != mark)
        }
    }

    /// The place of one of whom memory knows too little.
    /// - Returns: a place of `nil` when they do not wait (any more); ``Queues/status(_:)`` tells what became of them.
    package func ask(_ ticket: Ticket, in queue: Queue, on eventLoop: any EventLoop) -> EventLoopFuture<(place: Int?, length: Int)> {
        let watch = watch(queue)
        if watch.state.withLock({ $0.shown(at: .now()) }) != nil { return ask(ticket, in: queue, watch, on: eventLoop) }
        return fetch(watch, on: eventLoop).flatMap { self.ask(ticket, in: queue, watch, on: eventLoop) }
    }

    private func ask(_ ticket: Ticket, in queue: Queue, _ watch: Watch, on eventLoop: any EventLoop) -> EventLoopFuture<
        (place: Int?, length: Int)
    > {
        guard let view = watch.state.withLock({ $0.shown(at: .now()) }) else {
            return queues.place(ticket, in: queue, on: eventLoop).map { ($0.position, $0.queueLength) }
        }
        if let place = view.place(ticket.sequence), place > Self.zone(queue.currentRatePerMinute) {
            let mark = Self.mark(.now(), waitTTLSeconds: queue.waitTTLSeconds)
            return confirm(Unconfirmed(ticket: ticket, mark: mark, promise: eventLoop.makePromise()), watch, on: eventLoop).map {
                $0 ? (place, max(place, view.waiting)) : (nil, 0)
            }
        }
        // Near the front it counts when exactly somebody is let in.
        let rank = RedisCommand("ZRANK", arguments: [.string(watch.keys.waiting), .string(ticket.entry.compact)])
        return queues.redis.send(rank, on: eventLoop).map { rank in
            guard let place = rank.integer.map({ Int($0) + 1 }) else { return (nil, 0) }
            return (place, max(place, view.waiting))
        }
    }

    /// An entry as it is told to its holder, so that no gateway tells them a higher place afterwards.
    /// - Returns: `nil` where no view is shown: ``fetch(_:on:)`` first.
    package func told(_ entry: Entry, in queue: Queue) -> Entry? {
        let mark = Self.mark(.now(), waitTTLSeconds: queue.waitTTLSeconds)
        return watch(queue).state.withLock { state in
            let now = NIODeadline.now()
            state.asked = now
            guard let view = state.shown(at: now) else { return nil }
            // Somebody who was transferred has no place here.
            guard entry.state == .waiting, entry.position > 0 else { return entry }
            state.marks[entry.sequence] = mark
            // Nobody has a place yet, and the number that was drawn says nothing of how many wait.
            if queue.isDrawing() || view.isDrawing { return entry }
            guard let place = view.place(entry.sequence), place > max(entry.position, Self.zone(queue.currentRatePerMinute)) else {
                return entry
            }
            return entry.with(position: place)
        }
    }

    /// The view that is shown now; `nil` where there is none: ``fetch(_:)`` first.
    package func current(_ queue: Queue) -> QueueView? {
        watch(queue).state.withLock { state in
            let now = NIODeadline.now()
            state.asked = now
            return state.shown(at: now)
        }
    }

    /// Notes that somebody may not wait any more: Redis is asked next time.
    package func forget(_ sequence: Int64, in queue: Identifier) {
        watches.withLock { $0[queue] }?.state.withLock { $0.marks[sequence] = 0 }
    }

    /// Up to this place Redis is asked about each poll: they may be let in before the next view is shown, by the rate or one by one by hand.
    private static func zone(_ ratePerMinute: Double) -> Int { 20 + Int(min(ratePerMinute / 30, 1e9)) }

    /// Changes when it is time for another sign of life: so often that at most an eighth of the silence that is allowed goes by.
    private static func mark(_ now: NIODeadline, waitTTLSeconds: Int) -> UInt8 {
        let seconds = UInt64(SignsOfLife.interval(waitTTLSeconds: waitTTLSeconds))
        return UInt8(now.uptimeNanoseconds / 1_000_000_000 / seconds % 255) + 1
    }

    private func watch(_ queue: Queue) -> Watch {
        watches.withLock { watches in
            if let watch = watches[queue.id], watch.epoch == queue.epoch { return watch }
            let watch = Watch(queue, queues.redis.eventLoop)
            watches[queue.id] = watch
            return watch
        }
    }

    // MARK: Who waits

    /// Asks Redis whether somebody waits, together with all others who ask in this turn of the event loop.
    private func confirm(_ one: Unconfirmed, _ watch: Watch, on eventLoop: any EventLoop) -> EventLoopFuture<Bool> {
        let loop = ObjectIdentifier(eventLoop)
        let isFirst = watch.state.withLock { state in
            state.unconfirmed[loop, default: []].append(one)
            return state.unconfirmed[loop]!.count == 1
        }
        if isFirst { eventLoop.execute { self.confirmAll(watch, on: eventLoop) } }
        return one.promise.futureResult
    }

    private func confirmAll(_ watch: Watch, on eventLoop: any EventLoop) {
        let all = watch.state.withLock { $0.unconfirmed.removeValue(forKey: ObjectIdentifier(eventLoop)) ?? [] }
        for start in stride(from: 0, to: all.count, by: Self.mostConfirmedAtOnce) {
            let some = all[start..<min(start + Self.mostConfirmedAtOnce, all.count)]
            let arguments = [RedisArgument.string(watch.keys.waiting)] + some.map { .string($0.ticket.entry.compact) }
            queues.redis.send(RedisCommand("ZMSCORE", arguments: arguments), on: eventLoop).whenComplete { result in
                switch result {
                case .success(let reply):
                    let scores = reply.array ?? []
                    let waiting = zip(some, scores).map { $1 != .null }
                    watch.state.withLock { state in
                        for (one, waits) in zip(some, waiting) where waits { state.marks[one.ticket.sequence] = one.mark }
                    }
                    for (one, waits) in zip(some, waiting) { one.promise.succeed(waits) }
                    for one in some.dropFirst(waiting.count) { one.promise.succeed(false) }
                case .failure(let error): for one in some { one.promise.fail(error) }
                }
            }
        }
    }

    // MARK: Fetching

    /// Fetches the views of the queues that are asked about, until shut down.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.refresh)
                let now = NIODeadline.now()
                for watch in self.watches.withLock({ Array($0.values) }) {
                    let (asked, eventLoop) = watch.state.withLock { ($0.asked, $0.eventLoop) }
                    if now - asked < Self.interest { _ = self.fetch(watch, on: eventLoop) }
                    if now - asked > Self.memory { self.watches.withLock { $0[watch.queue] = nil } }
                }
            }
        }
    }

    /// Fetches the view of a queue, for the first time here or since a while.
    package func fetch(_ queue: Queue, on eventLoop: any EventLoop) -> EventLoopFuture<Void> { fetch(watch(queue), on: eventLoop) }

    /// ``fetch(_:on:)`` for a caller on no event loop.
    package func fetch(_ queue: Queue) async throws(RedisError) {
        let watch = watch(queue)
        let arguments = watch.state.withLock { self.arguments(watch, $0) }
        store(try await queues.redis.evaluate(Scripts.view, keys: watch.viewKeys, arguments: arguments).array ?? [], watch)
    }

    /// Fetches one view; who asks while one is on its way waits for that one.
    private func fetch(_ watch: Watch, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        let arguments = watch.state.withLock { state -> [RedisArgument]? in
            defer { state.fetching = (state.fetching ?? []) + [promise] }
            return state.fetching == nil ? self.arguments(watch, state) : nil
        }
        guard let arguments else { return promise.futureResult }
        queues.redis.evaluate(Scripts.view, keys: watch.viewKeys, arguments: arguments, on: eventLoop).whenComplete { result in
            if case .success(let reply) = result { self.store(reply.array ?? [], watch) }
            let waiting = watch.state.withLock { state in
                defer { state.fetching = nil }
                return state.fetching ?? []
            }
            for promise in waiting { promise.completeWith(result.map { _ in () }) }
        }
        return promise.futureResult
    }

    private func arguments(_ watch: Watch, _ state: borrowing State) -> [RedisArgument] {
        let latest = state.views.last
        return [
            .integer(latest?.view.id ?? 0), .integer(queues.memory.highestSequence(of: watch.queue)),
            .integer(latest.map { $0.until > .now() } ?? false ? 1 : 0),
        ]
    }

    private func store(_ values: [RedisValue], _ watch: Watch) {
        guard values.count == 5 || values.count == 9, let clock = values[0].integer else { return }
        let now = NIODeadline.now()
        let view = watch.state.withLock { state -> QueueView? in
            for start in stride(from: values.count - 4, through: 1, by: -4) {
                guard let id = values[start].integer, let made = values[start + 1].integer, let from = values[start + 2].integer else {
                    continue
                }
                let text = values[start + 3].bytes ?? []
                let known = state.views.last.flatMap { $0.view.id == id ? $0.view : nil }
                guard let view = known ?? QueueView(id: id, text: text) else { continue }
                let until = now + .milliseconds(made - clock) + Self.life
                if known != nil {
                    state.views[state.views.count - 1].until = until
                } else {
                    state.views.append(Shown(view: view, from: now + .milliseconds(from - clock), until: until))
                }
            }
            guard let view = state.views.last?.view else { return nil }
            if view.lostAt != state.lostAt {
                state.marks.removeAll()
                state.views.removeAll { $0.view.lostAt != view.lostAt }
                state.lostAt = view.lostAt
            }
            if let first = state.shown(at: now)?.first { state.marks.removeAll(before: first) }
            return view
        }
        if let view { queues.memory.saw(view, of: watch.queue) }
        if let view, view.lostAt > 0 {
            queues.memory.saw(
                through: view.letInThrough, lostFrom: view.lostFrom, lostHighest: view.lostHighest, lostThrough: view.lostThrough,
                since: clock - view.lostAt, of: watch.queue, seconds: queues.rebuildSeconds)
        }
    }
}
