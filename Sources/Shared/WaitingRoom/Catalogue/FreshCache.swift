import Synchronization

/// Remembers records for a short time, so that the hot routes read none of them from Redis.
///
/// What another gateway changes is seen after ``life`` at the latest. Records that do not exist are remembered too: made-up ids must not
/// reach Redis each time.
package final class FreshCache<Record: Sendable>: Sendable {
    private struct Slot {
        let record: Record?
        let loaded: ContinuousClock.Instant
    }

    /// How long a record is trusted: 500 ms, half of the second within which a change must take effect.
    package static var life: Duration { .milliseconds(500) }
    private static var capacity: Int { 50_000 }

    private let slots = Mutex<[Identifier: Slot]>([:])

    package init() {}

    /// The record if it was read a moment ago; `.none` when it must be read again, `.some(nil)` when there is no such record.
    package func fresh(_ id: Identifier) -> Record?? {
        guard let slot = slots.withLock({ $0[id] }), slot.loaded.duration(to: .now) < Self.life else { return .none }
        return .some(slot.record)
    }

    package func store(_ record: Record?, for id: Identifier) {
        slots.withLock { slots in
            if slots.count >= Self.capacity { slots.removeAll(keepingCapacity: true) }
            slots[id] = Slot(record: record, loaded: .now)
        }
    }

    package func forget(_ id: Identifier) {
        slots.withLock { _ = $0.removeValue(forKey: id) }
    }
}
