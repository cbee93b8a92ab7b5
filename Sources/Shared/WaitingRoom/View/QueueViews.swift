package import NIOCore
import Redis
import Synchronization

/// Tells places from the gateway's memory: for each queue that is asked about, a view that is fetched four times a second (`view-5.lua`),
/// and whom Redis has said to wait. So a poll costs Redis nothing but where it may be one of the next to be let in.
///
/// All gateways show a view from the same moment on. What changes in a line is seen here within 750 ms; how many have left far behind the
/// front, within some 2 seconds more in a line of a million; that somebody there was let in by hand or left elsewhere, with their second
/// poll (``SignsOfLife`` tells ``forget(_:in:)``).
package final class QueueViews: Sendable {
    /// What is known of one who polls.
    package enum Look: Sendable {
        /// They wait at this place. `isSign`: it is the first poll since a while.
        case waiting(place: Int, view: QueueView, isSign: Bool)
        /// Redis must be asked, by ``ask(_:in:on:)``.
        case unknown
    }

    private static let mostConfirmedAtOnce = 256

    let queues: Queues
    let watches = Mutex<[Identifier: QueueWatch]>([:])

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

    private func look(_ sequence: Int64, _ watch: QueueWatch, ratePerMinute: Double, waitTTLSeconds: Int) -> Look {
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

    private func ask(_ ticket: Ticket, in queue: Queue, _ watch: QueueWatch, on eventLoop: any EventLoop) -> EventLoopFuture<
        (place: Int?, length: Int)
    > {
        guard let view = watch.state.withLock({ $0.shown(at: .now()) }) else {
            return queues.place(ticket, in: queue, on: eventLoop).map { ($0.position, $0.queueLength) }
        }
        if let place = view.place(ticket.sequence), place > Self.zone(queue.currentRatePerMinute) {
            let mark = Self.mark(.now(), waitTTLSeconds: queue.waitTTLSeconds)
            return confirm(QueueWatch.Unconfirmed(ticket: ticket, mark: mark, promise: eventLoop.makePromise()), watch, on: eventLoop).map {
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

    /// Up to which place Redis is asked about each poll: who stands there may be let in before the next view is shown. Those are as many as
    /// the rate lets in within two seconds, and twenty more for a desk that lets people in by hand.
    private static func zone(_ ratePerMinute: Double) -> Int { 20 + Int(min(ratePerMinute / 30, 1e9)) }

    /// Changes when it is time for another sign of life: so often that at most an eighth of the silence that is allowed goes by.
    private static func mark(_ now: NIODeadline, waitTTLSeconds: Int) -> UInt8 {
        let seconds = UInt64(SignsOfLife.interval(waitTTLSeconds: waitTTLSeconds))
        return UInt8(now.uptimeNanoseconds / 1_000_000_000 / seconds % 255) + 1
    }

    func watch(_ queue: Queue) -> QueueWatch {
        watches.withLock { watches in
            if let watch = watches[queue.id], watch.epoch == queue.epoch { return watch }
            let watch = QueueWatch(queue, queues.redis.eventLoop)
            watches[queue.id] = watch
            return watch
        }
    }

    // MARK: Who waits

    /// Asks Redis whether somebody waits, together with all others who ask in this turn of the event loop.
    private func confirm(_ one: QueueWatch.Unconfirmed, _ watch: QueueWatch, on eventLoop: any EventLoop) -> EventLoopFuture<Bool> {
        let loop = ObjectIdentifier(eventLoop)
        let isFirst = watch.state.withLock { state in
            state.unconfirmed[loop, default: []].append(one)
            return state.unconfirmed[loop]!.count == 1
        }
        if isFirst { eventLoop.execute { self.confirmAll(watch, on: eventLoop) } }
        return one.promise.futureResult
    }

    private func confirmAll(_ watch: QueueWatch, on eventLoop: any EventLoop) {
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
}
