import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("Rehearsals")
struct RehearsalTests {
    @Test("a burst goes in one by one at the rate, the first at once")
    func burst() {
        let result = Rehearsal(visitors: 120, arrivals: .burst, durationMinutes: 1, ratePerMinute: 30).run()
        #expect(result.points.map(\.released) == [30, 30, 30, 30])
        #expect(result.points.map(\.waiting) == [90, 60, 30, 0])
        // The last comes after 59.5 s and goes in 119 intervals of 2 s after the first.
        #expect(result.finishedAfterMinutes == 238.0 / 60)
        #expect(result.waitP99Seconds.map { $0 > 170 && $0 < 179 } == true)
        #expect(result.gaveUp == 0)
    }

    @Test("who comes more slowly than the rate does not wait")
    func idle() {
        let result = Rehearsal(visitors: 60, arrivals: .steady, durationMinutes: 10, ratePerMinute: 60).run()
        #expect(result.waitP99Seconds == 0)
        #expect(result.points.count == 10 && result.points.allSatisfy { $0.released == 6 && $0.waiting == 0 })
    }

    @Test("counts by the minute come in their minute")
    func counts() {
        let result = Rehearsal(visitors: 0, arrivals: .perMinute([10, 0, 5]), durationMinutes: 3, ratePerMinute: 6000).run()
        #expect(result.points.map(\.released) == [10, 0, 5])
    }

    @Test("capacity lets the next in only when somebody's session is over")
    func capacity() {
        let result = Rehearsal(
            visitors: 4, arrivals: .burst, durationMinutes: 1, ratePerMinute: 6000, maximumActive: 2, sessionSeconds: 300
        ).run()
        #expect(result.finishedAfterMinutes.map { abs($0 - (15 + 300) / 60) < 0.001 } == true)
    }

    @Test("a share gives up, the same people for the same seed, and nobody is lost")
    func leaving() {
        var rehearsal = Rehearsal(visitors: 20_000, arrivals: .burst, durationMinutes: 5, ratePerMinute: 600, leaveShare: 0.3, seed: 7)
        let result = rehearsal.run()
        #expect(result == rehearsal.run())
        #expect((5700...6300).contains(result.gaveUp))
        #expect(result.points.map(\.released).reduce(0, +) + result.gaveUp == 20_000)
        #expect(result.points.last?.waiting == 0)
        #expect(result.points.allSatisfy { $0.waiting >= 0 })
        rehearsal.seed = 8
        #expect(result != rehearsal.run())
    }

    @Test("a rate of 0 lets nobody in, ever; a very long event is told in few points")
    func extremes() {
        let still = Rehearsal(visitors: 10, arrivals: .burst, durationMinutes: 3, ratePerMinute: 0).run()
        #expect(still.finishedAfterMinutes == nil && still.waitP50Seconds == nil)
        #expect(still.points.map(\.waiting) == [10, 10, 10])
        let long = Rehearsal(visitors: 10_000, arrivals: .burst, durationMinutes: 1, ratePerMinute: 0.5).run()
        #expect(long.points.count <= 1440)
        #expect(long.points.map(\.released).reduce(0, +) == 10_000)
    }

    /// The real script, whose bucket is told that time has passed: a fifth of a second of the event in every step, or more on a busy
    /// machine.
    @Test("agrees with the script that releases people", arguments: [(90.0, 600), (600, 2000)])
    func agrees(rate: Double, people: Int) async throws {
        try await Line.with(rate: rate) { line in
            let rehearsal = Rehearsal(visitors: people, arrivals: .burst, durationMinutes: 1, ratePerMinute: rate).run()
            var waits: [Double] = []
            var joined = 0
            var time = 0.0
            func bucket() async throws -> (tokens: Double, at: Double, isIdle: Bool)? {
                let reply = try await line.redis.send(RedisCommand("HMGET", .string(line.keys.bucket), "tokens", "at_us", "idle")).array
                guard let tokens = reply?[0].string.flatMap(Double.init), let at = reply?[1].string.flatMap(Double.init) else { return nil }
                return (tokens, at / 1_000_000, reply?[2].string == "1")
            }
            var last: (tokens: Double, at: Double, isIdle: Bool)?
            while waits.count < people {
                while joined < people, Double(joined) * 60 / Double(people) <= time {
                    try await line.join("v\(joined)")
                    joined += 1
                }
                // Set last of all before the step: a bucket holds a second's worth, and what a busy machine lets pass beyond is lost.
                if let last { try await line.bucket(tokens: last.tokens, seconds: 0.2, idle: last.isIdle) }
                let before = last == nil ? nil : try await bucket()
                let step = try await line.queues.release(line.queue.id).people.count
                let after = try #require(try await bucket())
                // Exactly what the script took to have passed, whatever this machine is busy with.
                if let before { time += after.at - before.at }
                for _ in 0..<step { waits.append(max(0, time - Double(waits.count) * 60 / Double(people))) }
                last = after
            }
            let finished = try #require(rehearsal.finishedAfterMinutes) * 60
            #expect(abs(finished - time) <= 0.02 * finished)
            for (share, forecast) in [(0.5, rehearsal.waitP50Seconds), (0.95, rehearsal.waitP95Seconds)] {
                let real = waits.sorted()[Int((share * Double(people)).rounded(.up)) - 1]
                let forecast = try #require(forecast)
                #expect(abs(forecast - real) <= 0.02 * forecast)
            }
        }
    }
}
