import Synchronization

/// Counts the attempts under way, so that a shutdown can wait for them.
final class Deliveries: Sendable {
    private let underWay = Mutex(0)

    var count: Int { underWay.withLock { $0 } }

    func begin(_ attempt: @Sendable @escaping () async -> Void) {
        underWay.withLock { $0 += 1 }
        Task {
            await attempt()
            underWay.withLock { $0 -= 1 }
        }
    }

    /// Waits until none is left, `limit` at most.
    func finish(within limit: Duration) async {
        let end = ContinuousClock.now + limit
        while count > 0, ContinuousClock.now < end { try? await Task.sleep(for: .milliseconds(20)) }
    }
}
