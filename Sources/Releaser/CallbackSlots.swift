import Synchronization
import WaitingRoom

/// Shares the attempts that may be under way at once among the tenants, so that one whose endpoint hangs does not delay another's
/// callbacks.
///
/// A tenant may always have one attempt under way, whatever the others do. Beyond that it may have half of what the others leave, so that
/// the next one finds some free, or, while its endpoint keeps failing, a thirty-second part of all.
final class CallbackSlots: Sendable {
    private struct State {
        var total = 0
        var byTenant: [Identifier: Int] = [:]
        var failuresInARow: [Identifier: Int] = [:]
    }

    private static let failuresThatCount = 3
    /// More than fail at once; deleted ones among them are never heard of again.
    private static let mostFailing = 10_000

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    /// Attempts under way.
    var underWay: Int { state.withLock { $0.total } }

    /// Takes as many slots for the tenant as it may have now, at most `wanted`.
    func take(_ wanted: Int, for tenant: Identifier) -> Int {
        state.withLock { state in
            let own = state.byTenant[tenant] ?? 0
            let isFailing = (state.failuresInARow[tenant] ?? 0) >= Self.failuresThatCount
            let share = isFailing ? limit / 32 : (limit - (state.total - own)) / 2
            let taken = min(wanted, max(own == 0 ? 1 : 0, share - own))
            if taken > 0 {
                state.total += taken
                state.byTenant[tenant] = own + taken
            }
            return taken
        }
    }

    /// Gives back slots that were not needed.
    func giveBack(_ count: Int, of tenant: Identifier) {
        state.withLock { Self.free(count, of: tenant, &$0) }
    }

    /// Frees the slot of an attempt that has ended.
    func end(_ tenant: Identifier, failed: Bool) {
        state.withLock { state in
            Self.free(1, of: tenant, &state)
            if state.failuresInARow.count >= Self.mostFailing { state.failuresInARow.removeAll() }
            state.failuresInARow[tenant] = failed ? (state.failuresInARow[tenant] ?? 0) + 1 : nil
        }
    }

    private static func free(_ count: Int, of tenant: Identifier, _ state: inout State) {
        state.total -= count
        let left = (state.byTenant[tenant] ?? count) - count
        state.byTenant[tenant] = left == 0 ? nil : left
    }
}
