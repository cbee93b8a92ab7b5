import Synchronization

/// Wakes one sleeper early.
final class Signal: Sendable {
    private struct State {
        var isRaised = false
        var sleeper: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Wakes the sleeper, or the next one at once.
    func raise() {
        let sleeper = state.withLock { state in
            defer { state.sleeper = nil }
            state.isRaised = state.sleeper == nil
            return state.sleeper
        }
        sleeper?.resume()
    }

    /// Sleeps until raised, cancelled or `limit` has passed.
    func wait(upTo limit: Duration) async {
        let timer = Task {
            do {
                try await Task.sleep(for: limit)
                raise()
            } catch {}
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isRaised = state.withLock { state in
                    defer { state.isRaised = false }
                    if !state.isRaised { state.sleeper = continuation }
                    return state.isRaised
                }
                if isRaised { continuation.resume() }
            }
        } onCancel: {
            raise()
        }
        timer.cancel()
    }
}
