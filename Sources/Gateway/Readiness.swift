import Synchronization

/// Whether this gateway wants traffic. It turns false at the beginning of a shutdown, a while before the listener closes, so that a proxy
/// stops sending first.
final class Readiness: Sendable {
    private let draining = Atomic(false)

    var isDraining: Bool { draining.load(ordering: .relaxed) }

    func drain() { draining.store(true, ordering: .relaxed) }
}
