import Redis
import Synchronization

/// What this process knows of the queues that Redis may lose: the highest sequence number that it has seen of each, and who was let in.
package final class QueueMemory: Sendable {
    /// People with consecutive sequence numbers who were let in together.
    struct Run: Sendable, Equatable {
        var first: Int64
        var last: Int64
        /// When, ms of Redis's clock.
        let released: Int64
    }

    /// What Redis has lost of a queue, by sequence numbers (`loss.lua`).
    private struct Loss {
        /// People behind this one may be missing.
        let from: Int64
        /// The highest that anybody knew of.
        let highest: Int64
        /// Newcomers stand behind this one.
        let through: Int64
        let over: ContinuousClock.Instant
    }

    private struct Known {
        var highest: Int64 = 0
        /// The highest sequence number that was let in, by this process or another.
        var through: Int64 = 0
        var runs: [Run] = []
        /// The ms of the loss after which Redis was told of ``runs``.
        var toldOf: Int64 = 0
        /// Set while people are coming back.
        var loss: Loss?
        /// The latest view from before that.
        var view: QueueView?

        mutating func released(_ sequences: [Int64], at released: Int64, highest: Int64, through: Int64) {
            self.highest = max(self.highest, highest)
            self.through = max(self.through, through)
            for sequence in sequences { append(sequence, at: released) }
            trim()
        }

        /// - Parameter releases: ascending by time, then by sequence number.
        mutating func learned(_ releases: [(sequence: Int64, released: Int64)]) {
            let known = runs
            let knownThen = Dictionary(grouping: known, by: \.released)
            runs = []
            for release in releases {
                let isKnown = knownThen[release.released]?.contains { $0.first <= release.sequence && release.sequence <= $0.last } ?? false
                if !isKnown { append(release.sequence, at: release.released) }
            }
            runs.append(contentsOf: known)
            runs.sort { ($0.released, $0.first) < ($1.released, $1.first) }
            trim()
        }

        private mutating func append(_ sequence: Int64, at released: Int64) {
            if let last = runs.last, last.released == released, last.last + 1 == sequence, sequence - last.first < QueueMemory.longestRun {
                runs[runs.count - 1].last = sequence
            } else {
                runs.append(Run(first: sequence, last: sequence, released: released))
            }
        }

        private mutating func trim() {
            // In large pieces, so that it is rare.
            if runs.count > 2 * QueueMemory.mostRuns { runs.removeFirst(runs.count - QueueMemory.mostRuns) }
        }
    }

    /// How many people a run holds at most: so far `tombstone.lua` looks for one.
    static let longestRun: Int64 = 500
    /// How many runs of a queue are kept: the releases of the last seven minutes at the fastest pace, far more than a Redis may lose that
    /// has not lost everything.
    static let mostRuns = 4096

    private static let mostBetween = 1 << 24

    private let queues = Mutex<[Identifier: Known]>([:])
    private let mayBeRebuilding = Atomic(false)

    package init() {}

    /// The highest sequence number known of a queue; 0 for none.
    @Sendable func highestSequence(of queue: Identifier) -> Int64 { queues.withLock { $0[queue]?.highest ?? 0 } }

    /// The highest sequence number known to have been let in; 0 for none.
    func releasedThrough(_ queue: Identifier) -> Int64 { queues.withLock { $0[queue]?.through ?? 0 } }

    /// Notes a sequence number that somebody has.
    func saw(_ sequence: Int64, of queue: Identifier) {
        queues.withLock { queues in
            if sequence > queues[queue]?.highest ?? 0 { queues[queue, default: Known()].highest = sequence }
        }
    }

    /// Notes a release and how far Redis says that the queue is.
    /// - Parameters:
    ///   - sequences: of those let in, ascending.
    ///   - released: when, ms of Redis's clock.
    ///   - highest: the queue's counter.
    ///   - through: the highest sequence number that was let in, by whomever.
    func released(_ sequences: [Int64], at released: Int64, highest: Int64, through: Int64, of queue: Identifier) {
        queues.withLock { $0[queue, default: Known()].released(sequences, at: released, highest: highest, through: through) }
    }

    /// Notes releases of other workers, those that are known already left out.
    func learned(_ releases: [(sequence: Int64, released: Int64)], of queue: Identifier) {
        guard !releases.isEmpty else { return }
        let sorted = releases.sorted { ($0.released, $0.sequence) < ($1.released, $1.sequence) }
        queues.withLock { $0[queue, default: Known()].learned(sorted) }
    }

    /// When somebody of a queue was let in last, ms of Redis's clock, as far as it is known; 0 for never.
    func latestRelease(of queue: Identifier) -> Int64 { queues.withLock { $0[queue]?.runs.last?.released ?? 0 } }

    // MARK: After a loss

    /// Notes what Redis tells of a queue's losses (`loss_state` of `loss.lua`).
    /// - Parameter seconds: for how long people come back after a loss.
    func saw(_ state: RedisValue?, of queue: Identifier, seconds: Int) {
        let values = (state?.array ?? []).map { $0.integer ?? 0 }
        guard values.count == 5 else { return }
        saw(
            through: values[0], lostFrom: values[1], lostHighest: values[2], lostThrough: values[3], since: values[4], of: queue,
            seconds: seconds)
    }

    /// The same, with the ms since the loss was found out; less than 0 for none.
    func saw(
        through: Int64, lostFrom: Int64, lostHighest: Int64, lostThrough: Int64, since: Int64, of queue: Identifier, seconds: Int
    ) {
        let left = Duration.seconds(seconds) - .milliseconds(since)
        let isRecent = since >= 0 && left > .zero
        queues.withLock { queues in
            if through > queues[queue]?.through ?? 0 { queues[queue, default: Known()].through = through }
            if isRecent {
                queues[queue, default: Known()].loss = Loss(from: lostFrom, highest: lostHighest, through: lostThrough, over: .now + left)
            }
        }
        if isRecent { mayBeRebuilding.store(true, ordering: .relaxed) }
    }

    /// Notes how a line stands; while people come back, how it stood before counts.
    func saw(_ view: QueueView, of queue: Identifier) {
        queues.withLock { queues in
            let known = queues[queue]
            if let before = known?.view, known?.loss != nil, before.lostAt != view.lostAt { return }
            queues[queue, default: Known()].view = view
        }
    }

    /// Whether people of any queue are coming back after a loss.
    var isRebuilding: Bool { mayBeRebuilding.load(ordering: .relaxed) }

    /// The place of a sequence number if all wait again who did, or where that is not known all between it and those let in: while people
    /// come back after a loss, a rank is far too good, and will rise. 0 when nobody is missing before it.
    func place(_ sequence: Int64, of queue: Identifier) -> Int {
        guard isRebuilding else { return 0 }
        return queues.withLock { queues in
            let now = ContinuousClock.now
            for (id, known) in queues where known.loss.map({ $0.over < now }) ?? false { queues[id]!.loss = nil }
            if !queues.values.contains(where: { $0.loss != nil }) { mayBeRebuilding.store(false, ordering: .relaxed) }
            guard let known = queues[queue], let loss = known.loss, known.through > 0, sequence > loss.from else { return 0 }
            let isNewcomer = sequence > loss.through
            let lost = max(0, (isNewcomer ? loss.highest : sequence) - known.through)
            let place = Int(isNewcomer ? lost + sequence - loss.through : lost)
            if !isNewcomer, let before = known.view?.place(sequence) { return min(place, before) }
            // No line is as long: numbers were drawn by lot.
            return place < Self.mostBetween ? place : 0
        }
    }

    /// Forgets queues that are none of `living`.
    func forget(others living: Set<Identifier>) {
        queues.withLock { queues in queues = queues.filter { living.contains($0.key) } }
    }

    /// The queues of which this process has seen somebody: the highest sequence numbers seen and let in, and the loss after which it told
    /// of them.
    func known() -> [(queue: Identifier, highest: Int64, through: Int64, toldOf: Int64)] {
        queues.withLock { queues in
            queues.compactMap { queue, known in
                known.highest == 0 && known.runs.isEmpty
                    ? nil : (queue: queue, highest: known.highest, through: known.through, toldOf: known.toldOf)
            }
        }
    }

    /// Notes that Redis was told of ``runs(of:)`` after a loss, the ms of which are `loss`.
    func told(of loss: Int64, of queue: Identifier) {
        queues.withLock { $0[queue]?.toldOf = loss }
    }

    /// Who was let in, the latest last.
    func runs(of queue: Identifier) -> [Run] { queues.withLock { $0[queue]?.runs ?? [] } }
}
