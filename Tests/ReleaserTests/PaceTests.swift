import Testing

@testable import Releaser
@testable import WaitingRoom

@Suite("Pace")
struct PaceTests {
    private let tick = Duration.milliseconds(100)

    private func release(people: Int = 0, next: Duration?) -> Release {
        let person = Release.Person(entry: .random(), sequence: 1, waited: .zero)
        return Release(people: Array(repeating: person, count: people), stillWaiting: 5, nextToken: next)
    }

    @Test("a slow queue is woken when its token comes, exactly")
    func slow() {
        var pace = Pace(tick: tick)
        #expect(pace.next(after: release(people: 1, next: .microseconds(199_500)), ratePerMinute: 300) == .microseconds(199_500))
        #expect(pace.next(after: release(next: .microseconds(20)), ratePerMinute: 300) == .milliseconds(1))
    }

    @Test("however far the token is, a changed setting is seen within a second")
    func verySlow() {
        var pace = Pace(tick: tick)
        #expect(pace.next(after: release(next: .seconds(600)), ratePerMinute: 0.1) == Pace.longest)
        #expect(pace.next(after: release(next: .seconds(600)), ratePerMinute: .leastNonzeroMagnitude) == Pace.longest)
        #expect(Pace.longest < .seconds(1))
    }

    @Test("a fast queue is looked at once a tick, and at once when a step let in all that a step may")
    func fast() {
        var pace = Pace(tick: tick)
        #expect(pace.next(after: release(people: 10, next: .microseconds(10)), ratePerMinute: 6000) == tick)
        #expect(pace.next(after: release(people: Queues.releaseBatch, next: .zero), ratePerMinute: 600_000) == .zero)
    }

    @Test("with nobody waiting the pauses grow from a tick to the longest, and shrink when someone is there")
    func idle() {
        var pace = Pace(tick: tick)
        let pauses = (0..<5).map { _ in pace.next(after: release(next: nil), ratePerMinute: 60) }
        #expect(pauses == [tick, tick * 2, tick * 4, Pace.longest, Pace.longest])
        _ = pace.next(after: release(people: 1, next: .seconds(1)), ratePerMinute: 60)
        #expect(pace.next(after: release(next: nil), ratePerMinute: 60) == tick)
    }
}
