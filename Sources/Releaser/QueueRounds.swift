import CoreMetrics
import Logging
import Redis
import Synchronization
import WaitingRoom

/// The queues that this worker has: a few awake, each with a ``QueueCare``, and as many asleep as there are, in which nobody waits, is owed
/// a callback or is on the way to another queue.
///
/// All are looked at several times a second, by one command each and many in a trip: whoever joins a queue that sleeps is noticed within
/// half a second, and no gateway has to tell. Beside that one that sleeps costs a visit every few minutes.
final class QueueRounds: Sendable {
    private struct Held {
        let queue: ListedQueue
        /// What is asked of Redis in each round.
        let look: RedisCommand
        /// Made when it is awake for the first time: a queue of which there is nothing to tell has none.
        var metrics: QueueMetrics?
        var care: Task<Void, Never>?
        /// Since when there has been nothing to do for its care.
        var idle: ContinuousClock.Instant?
        /// When one that is asleep is visited next.
        var visit: ContinuousClock.Instant
        /// When the next point of its series is due, should it be asleep then.
        var point: ContinuousClock.Instant
        /// Whether it is known whom other workers have let in.
        var isLearned = false
    }

    private struct State {
        var held: [Identifier: Held] = [:]
        var looks: [(queue: Identifier, command: RedisCommand)] = []
    }

    private static let interval = Duration.milliseconds(400)
    private static let queuesAtOnce = 500
    private static let visitsAtOnce = 500
    /// How long a queue stays awake without anything to do, so that one whose people come one by one is not woken for each.
    private static let rest = Duration.seconds(2)

    private let worker: Worker
    /// Raised when there are queues that were not looked at yet.
    private let taken = Signal()
    private let state = Mutex(State())

    init(worker: Worker) { self.worker = worker }

    /// How many queues this worker has.
    var count: Int { state.withLock { $0.held.count } }
    /// The queues that it has.
    var queues: Set<Identifier> { state.withLock { Set($0.held.keys) } }
    /// Those of them that are awake.
    var awake: [Identifier] { state.withLock { $0.held.values.compactMap { $0.care == nil ? nil : $0.queue.id } } }

    /// Has these queues from now on, and no others. To be called when one of them has changed, too.
    func hold(_ queues: [ListedQueue]) {
        let wanted = Dictionary(queues.map { ($0.id, $0) }) { $1 }
        let now = ContinuousClock.now
        let (gone, taken) = state.withLock { state in
            let gone = state.held.filter { wanted[$0.key] == nil }
            for id in gone.keys { state.held[id] = nil }
            let taken = queues.filter { state.held[$0.id] == nil }
            for queue in taken { state.held[queue.id] = Held(queue: queue, look: Queues.look(at: queue.id), visit: now, point: now) }
            if !gone.isEmpty || !taken.isEmpty {
                state.looks = state.held.values.map { ($0.queue.id, $0.look) }
            }
            return (gone, taken)
        }
        if !taken.isEmpty { self.taken.raise() }
        worker.metrics.lockChanges.increment(by: taken.count)
        for held in gone.values {
            held.metrics?.forget()
            held.care?.cancel()
        }
        // Those awake tell it themselves.
        for held in state.withLock({ $0.held.values.filter { $0.metrics != nil && $0.care == nil } }) {
            held.metrics?.asked(ratePerMinute: worker.queues.lastKnown(held.queue.id)?.askedRatePerMinute(active: 0) ?? 0)
        }
    }

    /// Goes on until cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.makeRounds() }
            group.addTask {
                while !Task.isCancelled {
                    await self.visit()
                    try? await Task.sleep(for: .seconds(1))
                }
            }
        }
    }

    private func makeRounds() async {
        while !Task.isCancelled {
            let next = ContinuousClock.now + Self.interval
            do {
                try await look()
                try await measure()
            } catch {
                worker.logger.debug("The queues could not be looked at; the next round follows", metadata: ["error": "\(error)"])
            }
            await taken.wait(upTo: max(.zero, ContinuousClock.now.duration(to: next)))
        }
    }

    /// Gives all queues back.
    func end() async {
        let all = state.withLock { state in
            defer { state = State() }
            return Array(state.held.values)
        }
        for held in all {
            held.metrics?.forget()
            held.care?.cancel()
        }
        for held in all { await held.care?.value }
    }

    // MARK: Looking

    /// Wakes those that have something to do, and lets those rest that have had nothing for a while.
    private func look() async throws {
        let looks = state.withLock { $0.looks }
        for start in stride(from: 0, to: looks.count, by: Self.queuesAtOnce) {
            let some = looks[start..<min(start + Self.queuesAtOnce, looks.count)]
            let replies = try await worker.redis.pipeline(some.map(\.command))
            let now = ContinuousClock.now
            let tired = state.withLock { state in
                zip(some, replies).compactMap { look, reply -> Held? in
                    // What Redis does not answer changes nothing.
                    guard let found = try? reply.get().integer, let held = state.held[look.queue] else { return nil }
                    if found > 0 {
                        wake(held, &state)
                    } else if held.care != nil {
                        return tire(held, since: now, &state)
                    }
                    return nil
                }
            }
            for held in tired { fallAsleep(held) }
        }
    }

    private func wake(_ held: Held, _ state: inout State) {
        guard held.care == nil || held.idle != nil else { return }
        var held = held
        held.idle = nil
        if held.care == nil {
            let metrics = held.metrics ?? worker.metrics.queue(held.queue.id)
            let care = QueueCare(worker: worker, queue: held.queue, metrics: metrics)
            held.metrics = metrics
            held.care = Task { await care.run() }
        }
        state.held[held.queue.id] = held
    }

    /// - Returns: the queue, when it has had nothing to do for long enough.
    private func tire(_ held: Held, since now: ContinuousClock.Instant, _ state: inout State) -> Held? {
        guard let idle = held.idle else {
            state.held[held.queue.id]?.idle = now
            return nil
        }
        guard idle.duration(to: now) >= Self.rest else { return nil }
        state.held[held.queue.id]?.care = nil
        state.held[held.queue.id]?.idle = nil
        return held
    }

    private func fallAsleep(_ held: Held) {
        held.care?.cancel()
        held.metrics?.isEmpty()
        // What changed in this minute is a point of its series when it is over.
        Task {
            let minute = (try? await worker.queues.untilMinuteEnds()) ?? .seconds(60)
            let point = ContinuousClock.now + minute + .milliseconds(Int.random(in: 50..<2000))
            state.withLock {
                $0.held[held.queue.id]?.point = point
                $0.held[held.queue.id]?.visit = min(point, .now + pause)
            }
        }
    }

    private func measure() async throws {
        worker.metrics.callbacksUnderWay.record(Double(worker.slots.underWay))
        worker.metrics.locksHeld.record(Double(count))
        // Those asleep owe none.
        worker.metrics.callbacksOwed.record(Double(try await worker.callbacks.owed(by: awake)))
    }

    // MARK: Visiting

    /// Does what is to be done from time to time in those asleep, in a bounded number of them at once.
    func visit() async {
        guard worker.reunion == nil else { return }
        let now = ContinuousClock.now
        let due = state.withLock { state in
            let due = state.held.values.lazy.filter { $0.care == nil && $0.visit <= now }.prefix(Self.visitsAtOnce)
            return Array(due)
        }
        await withTaskGroup(of: Void.self) { group in
            for held in due { group.addTask { await self.visit(held) } }
        }
    }

    private func visit(_ held: Held) async {
        let id = held.queue.id
        do {
            if !held.isLearned { try await worker.queues.learnReleases(of: id) }
            if let tenant = try await worker.tenants.recent(held.queue.tenant), tenant.isActive {
                // Where an application's rate is shared, whoever has come meanwhile waits until the queue is awake.
                let part = tenant.ratePerMinute.map(RatePart.nothing)
                // Tells how far the queue is, and of a loss.
                let release = try await worker.queues.release(id, part: part)
                if !release.people.isEmpty {
                    worker.metrics.released.increment(by: release.people.count)
                    metrics(of: id).released(release)
                }
                if release.foundLoss { try await worker.tellOfLoss(of: id) }
            }
            if let queue = worker.queues.lastKnown(id) { await worker.sweep(queue) }
            state.withLock { $0.held[id]?.isLearned = true }
            if held.point <= .now {
                _ = try await worker.queues.measure(id)
                // A queue in which nothing happens has a point of the hours at most.
                let hour = Double(3_600_000 - Timestamp.now().milliseconds % 3_600_000) / 1000 + .random(in: 1...60)
                state.withLock { $0.held[id]?.point = .now + .seconds(hour) }
            }
        } catch {
            worker.logger.debug("A queue could not be visited", metadata: ["queue_id": "\(id)", "error": "\(error)"])
        }
        state.withLock { state in
            guard let point = state.held[id]?.point else { return }
            state.held[id]?.visit = min(.now + pause, max(.now + .seconds(1), point))
        }
    }

    private func metrics(of queue: Identifier) -> QueueMetrics {
        state.withLock { state in
            let metrics = state.held[queue]?.metrics ?? worker.metrics.queue(queue)
            state.held[queue]?.metrics = metrics
            return metrics
        }
    }

    /// Between two visits: short enough that nothing stays for longer than a twentieth beyond its time.
    private var pause: Duration {
        .seconds(min(600, max(10, worker.configuration.retentionHours * 3600 / 20)) * .random(in: 0.8...1))
    }
}
