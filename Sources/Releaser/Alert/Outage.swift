import Synchronization
import WaitingRoom

/// An incident that Redis cannot hold, since it is Redis that is away: told by each channel until that has succeeded or Redis is back.
final class Outage: Sendable {
    private struct State {
        var isOver = false
        var told: [String: Bool]?
    }

    private static let step = Duration.milliseconds(100)

    let incident: Incident
    private let state = Mutex(State())

    init(_ incident: Incident) { self.incident = incident }

    private var isOver: Bool { state.withLock { $0.isOver } }

    func tell(
        by channels: [any AlertChannel], send: @escaping @Sendable (_ channel: any AlertChannel, _ attempts: Int) async -> AlertFailure?
    ) async {
        let told = await withTaskGroup(of: (String, Bool).self) { group in
            for channel in channels { group.addTask { (channel.name, await self.tell { await send(channel, $0) }) } }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        state.withLock { $0.told = told }
    }

    private func tell(_ send: (_ attempts: Int) async -> AlertFailure?) async -> Bool {
        var attempts = 0
        while let failure = await send(attempts) {
            let next = ContinuousClock.now + failure.pause(after: attempts)
            while !isOver, ContinuousClock.now < next { try? await Task.sleep(for: Self.step) }
            if isOver { return false }
            attempts += 1
        }
        return true
    }

    /// Lets no attempt begin any more.
    /// - Returns: each channel, and whether it could be told; `nil` while an attempt is under way.
    func end() -> [String: Bool]? {
        state.withLock {
            $0.isOver = true
            return $0.told
        }
    }
}
