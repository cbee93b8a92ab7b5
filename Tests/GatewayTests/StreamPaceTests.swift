import NIOCore
import Testing

@testable import Gateway

@Suite("How often a stream speaks")
struct StreamPaceTests {
    private let start = NIODeadline.now()

    private func pace(_ place: Int) -> StreamPace { StreamPace(place: place, shown: 0, now: start, lead: .zero) }

    /// The seconds at which something is told of places by second, looking four times a second.
    private func told(_ first: Int, seconds: Int, _ place: (Double) -> Int) -> [Double] {
        var pace = pace(first)
        return (1...4 * seconds).compactMap { quarter in
            let second = Double(quarter) / 4
            return pace.step(to: place(second), shown: 0, now: start + .milliseconds(250 * Int64(quarter))) == .tell ? second : nil
        }
    }

    @Test("near the front each step is told, once a second at most")
    func near() {
        #expect(told(50, seconds: 4) { 50 - Int($0 * 4) } == [1, 2, 3, 4])
        #expect(told(50, seconds: 8) { $0 < 5 ? 50 : 49 } == [5])
    }

    @Test("farther back a hundredth of the way is told at once, less of it after a quarter of a minute")
    func far() {
        #expect(told(10_000, seconds: 10) { $0 < 5 ? 10_000 : 9900 } == [5])
        #expect(told(10_000, seconds: 20) { $0 < 5 ? 10_000 : 9901 } == [15])
    }

    @Test("a place that stands still is told every half minute, with a beat between")
    func silence() {
        var pace = pace(7)
        let steps = (1...240).map { pace.step(to: 7, shown: 0, now: start + .milliseconds(250 * $0)) }
        #expect(steps.indices.filter { steps[$0] == .beat } == [59, 179])
        #expect(steps.indices.filter { steps[$0] == .tell } == [119, 239])
    }

    @Test("what is shown beside the place is news as well, and what must be told is told at once")
    func others() {
        var pace = pace(7)
        #expect(pace.step(to: 7, shown: 1, now: start + .seconds(2)) == .tell)
        #expect(pace.step(to: 7, shown: 1, now: start + .milliseconds(2100)) == .nothing)
        #expect(pace.step(to: 7, shown: 1, now: start + .milliseconds(2200), mustTell: true) == .tell)
    }
}
