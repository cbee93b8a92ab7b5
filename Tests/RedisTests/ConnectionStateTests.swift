import Testing

@testable import Redis

@Suite struct ConnectionStateTests {
    private let state = Subject()

    @Test func commandsWaitForTheFirstConnectionOnly() {
        #expect(state.refusal == nil)
        #expect(state.open())
        #expect(state.refusal == nil)
        #expect(state.ready())
        #expect(state.isReady && state.refusal == nil)
        #expect(state.lost(random: 1) == .milliseconds(100))
        #expect(!state.isReady && state.refusal == .unavailable)
        #expect(state.open())
        #expect(state.refusal == .unavailable)
        #expect(state.ready())
        #expect(state.refusal == nil)
    }

    @Test func commandsFailAtOnceAfterTheFirstFailure() {
        #expect(state.open())
        #expect(state.lost(random: 1) != nil)
        #expect(state.refusal == .unavailable)
    }

    @Test func commandsFailAtOnceWhenOneHasWaitedInVain() {
        #expect(state.open())
        state.outwaited()
        #expect(state.refusal == .unavailable)
        #expect(state.ready())
        #expect(state.refusal == nil)
    }

    @Test func pausesDoubleUpToTheLongestAndStartAgain() {
        var pauses: [Duration?] = []
        for _ in 1...4 {
            #expect(state.open())
            pauses.append(state.lost(random: 1))
        }
        #expect(pauses == [.milliseconds(100), .milliseconds(200), .milliseconds(400), .milliseconds(450)])
        #expect(state.open() && state.ready())
        #expect(state.lost(random: 0) == .milliseconds(50))
    }

    @Test func manyFailuresDoNotOverflow() {
        for _ in 1...200 {
            #expect(state.open())
            #expect(state.lost(random: 1) != nil)
        }
        #expect(state.open())
        #expect(state.lost(random: 1) == .milliseconds(450))
    }

    @Test func oneLossCountsOnce() {
        #expect(state.open())
        #expect(state.lost(random: 1) != nil)
        #expect(state.lost(random: 1) == nil)
    }

    @Test func opensOnce() {
        #expect(state.open())
        #expect(!state.open())
        #expect(state.ready())
        #expect(!state.open())
    }

    @Test func closedIsTheEnd() {
        #expect(state.open())
        state.close()
        #expect(state.refusal == .closed)
        #expect(!state.ready() && !state.open())
        #expect(state.lost(random: 1) == nil)
    }
}

/// Holds the state, since an expectation cannot change a value itself.
private final class Subject {
    private var state = RedisConnectionState(shortestPause: .milliseconds(100), longestPause: .milliseconds(450))

    var refusal: RedisError.Code? { state.refusal }
    var isReady: Bool { state.isReady }

    func open() -> Bool { state.open() }
    func ready() -> Bool { state.ready() }
    func lost(random: Double) -> Duration? { state.lost(random: random) }
    func outwaited() { state.outwaited() }
    func close() { state.close() }
}
