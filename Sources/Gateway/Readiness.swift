import Synchronization

/// Whether this gateway wants traffic: from when its first administrator is known until the beginning of a shutdown, a while before the
/// listener closes, so that a proxy stops sending first.
final class Readiness: Sendable {
    private let starting: Atomic<Bool>
    private let draining = Atomic(false)

    init(isStarting: Bool = false) { starting = Atomic(isStarting) }

    var isStarting: Bool { starting.load(ordering: .relaxed) }
    var isDraining: Bool { draining.load(ordering: .relaxed) }

    func start() { starting.store(false, ordering: .relaxed) }

    func drain() { draining.store(true, ordering: .relaxed) }
}
