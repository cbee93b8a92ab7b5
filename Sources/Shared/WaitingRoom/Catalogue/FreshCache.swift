import NIOCore
import Synchronization

/// Remembers records for a short time, so that the hot routes read none of them from Redis.
///
/// What another gateway changes is seen after ``life`` at the latest. Records that do not exist are remembered too: made-up ids must not
/// reach Redis each time. What nobody has asked for lately goes when there is much of it.
package final class FreshCache<Record: Sendable>: Sendable {
    private final class Slot: Sendable {
        let record: Record?
        let isYoungUntil: NIODeadline
        let isFreshUntil: NIODeadline
        /// Whether somebody reads it again already.
        let isRefreshing = Atomic(false)

        init(_ record: Record?, loaded: NIODeadline) {
            self.record = record
            isYoungUntil = loaded + TimeAmount(FreshCache.youth)
            isFreshUntil = loaded + TimeAmount(FreshCache.life)
        }
    }

    /// How long a record is trusted: 500 ms, half of the second within which a change must take effect.
    package static var life: Duration { .milliseconds(500) }
    /// From this age on it is worth to read a record again before it is trusted no more.
    private static var youth: Duration { .milliseconds(250) }
    private static var capacity: Int { 50_000 }
    private static var leastRoom: Int { 1024 }

    private struct State {
        var slots: [Identifier: Slot] = [:]
        /// How many slots there may be before those that are not fresh any more go.
        var room = leastRoom
    }

    private let state = Mutex(State())

    package init() {}

    /// How many records are remembered, those that do not exist included; for tests.
    var count: Int { state.withLock { $0.slots.count } }

    /// The record if it was read a moment ago; `.none` when it must be read again, `.some(nil)` when there is no such record.
    package func fresh(_ id: Identifier) -> Record?? {
        guard let slot = state.withLock({ $0.slots[id] }), NIODeadline.now() < slot.isFreshUntil else { return .none }
        return .some(slot.record)
    }

    /// ``fresh(_:)``, for those who ask often.
    /// - Parameter isDue: set when the caller should read the record again, so that it never ages.
    func fresh(_ id: Identifier, isDue: inout Bool) -> Record?? {
        guard let slot = state.withLock({ $0.slots[id] }) else { return .none }
        let now = NIODeadline.now()
        guard now < slot.isFreshUntil else { return .none }
        if now >= slot.isYoungUntil { isDue = !slot.isRefreshing.exchange(true, ordering: .relaxed) }
        return .some(slot.record)
    }

    package func store(_ record: Record?, for id: Identifier) {
        let now = NIODeadline.now()
        state.withLock { state in
            if state.slots.count >= state.room {
                state.slots = state.slots.filter { now < $0.value.isFreshUntil }
                if state.slots.count >= Self.capacity { state.slots = [:] }
                state.room = max(Self.leastRoom, 2 * state.slots.count)
            }
            state.slots[id] = Slot(record, loaded: now)
        }
    }

    package func forget(_ id: Identifier) {
        state.withLock { _ = $0.slots.removeValue(forKey: id) }
    }
}
