import NIOCore
import Redis
import Synchronization

/// What a gateway knows of one line that is asked about (``QueueViews``).
final class QueueWatch: Sendable {
    /// A view, and when it is shown.
    struct Shown {
        let view: QueueView
        let from: NIODeadline
        var until: NIODeadline
    }

    /// One of whom Redis is asked whether they wait.
    struct Unconfirmed {
        let ticket: Ticket
        /// What ``State/marks`` is to say of them.
        let mark: UInt8
        let promise: EventLoopPromise<Bool>
    }

    struct State {
        /// How long after it was made a view is shown that no other follows: others may show a later one by then.
        private static let life = TimeAmount.milliseconds(900)

        /// The one that is shown, and those to come, the latest last.
        private(set) var views: [Shown] = []
        /// For whom Redis has said that they wait: when their last sign of life was noted, as ``QueueViews`` tells time.
        var marks = SequenceMarks()
        /// The loss after which ``marks`` were begun.
        private var lostAt: Int64 = 0
        var asked: NIODeadline
        /// On which it is fetched.
        let eventLoop: any EventLoop
        var fetching: [EventLoopPromise<Void>]?
        var unconfirmed: [ObjectIdentifier: [Unconfirmed]] = [:]

        init(asked: NIODeadline, eventLoop: any EventLoop) {
            self.asked = asked
            self.eventLoop = eventLoop
        }

        mutating func shown(at now: NIODeadline) -> QueueView? {
            while views.count > 1, views[1].from <= now { views.removeFirst() }
            guard let first = views.first, first.until > now else { return nil }
            return first.view
        }

        /// Takes in what `view-5.lua` answered. What was known before a loss is shown no more.
        /// - Returns: the latest view, and the ms of Redis's clock at which it was told; `nil` where there is none.
        mutating func take(_ reply: [RedisValue], at now: NIODeadline) -> (view: QueueView, clock: Int64)? {
            guard reply.count == 5 || reply.count == 9, let clock = reply[0].integer else { return nil }
            // The one to come is told before the one that is shown.
            for start in stride(from: reply.count - 4, through: 1, by: -4) {
                guard let id = reply[start].integer, let made = reply[start + 1].integer, let from = reply[start + 2].integer else {
                    continue
                }
                let known = views.last.flatMap { $0.view.id == id ? $0.view : nil }
                guard let view = known ?? QueueView(id: id, text: reply[start + 3].bytes ?? []) else { continue }
                let until = now + .milliseconds(made - clock) + Self.life
                if known != nil {
                    views[views.count - 1].until = until
                } else {
                    views.append(Shown(view: view, from: now + .milliseconds(from - clock), until: until))
                }
            }
            guard let view = views.last?.view else { return nil }
            if view.lostAt != lostAt {
                marks.removeAll()
                views.removeAll { $0.view.lostAt != view.lostAt }
                lostAt = view.lostAt
            }
            if let first = shown(at: now)?.first { marks.removeAll(before: first) }
            return (view, clock)
        }
    }

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
