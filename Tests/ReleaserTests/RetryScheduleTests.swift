import Testing

@testable import Releaser

@Suite("RetrySchedule")
struct RetryScheduleTests {
    private let schedule = RetrySchedule(maximumAttempts: 5)

    @Test("1 s, 2 s, then growing, over about ten minutes; after the last attempt there is none")
    func growing() throws {
        let pauses = (1...4).compactMap { schedule.pause(after: $0, jitter: 0) }
        #expect(pauses.prefix(2) == [.seconds(1), .seconds(2)])
        #expect(pauses == pauses.sorted())
        let total = pauses.reduce(.zero, +)
        #expect(total > .seconds(480) && total < .seconds(720))
        #expect(schedule.pause(after: 5) == nil)
        #expect(RetrySchedule(maximumAttempts: 1).pause(after: 1) == nil)
    }

    @Test("a pause varies by a fifth at most, and more attempts do not wait longer than the longest")
    func bounds() throws {
        for _ in 0..<100 {
            let pause = try #require(schedule.pause(after: 2))
            #expect(pause >= .milliseconds(1600) && pause <= .milliseconds(2400))
        }
        #expect(RetrySchedule(maximumAttempts: 100).pause(after: 99, jitter: 0) == schedule.pause(after: 4, jitter: 0))
    }

    @Test("what the receiver asks for is honoured up to the longest pause, and never shortens one")
    func asked() throws {
        #expect(schedule.pause(after: 1, asked: .seconds(30), jitter: 0) == .seconds(30))
        #expect(schedule.pause(after: 1, asked: .seconds(86_400), jitter: 0) == schedule.pause(after: 4, jitter: 0))
        #expect(schedule.pause(after: 2, asked: .zero, jitter: 0) == .seconds(2))
    }
}
