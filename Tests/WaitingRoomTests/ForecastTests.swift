import Glibc
import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("Forecast, flow.lua")
struct ForecastTests {
    /// An event on a clock of its own: people come, give up and are let in, and the script's own sums are asked at each second.
    private struct Event {
        var people = 6000
        /// Over how many seconds they come.
        var arrivals = 240.0
        /// The part of those who wait that gives up each second, and how long one who closes the tab stays in line.
        var leaving = 0.0
        var silence = 0
        /// The rate from a second on.
        var rates: [(second: Int, perMinute: Double)] = [(0, 600)]
        var capacity = 0
        /// Sessions last this many seconds on average, some longer, some shorter.
        var sessions = 60.0
        var seed: UInt64 = 7
    }

    private struct Outcome {
        var errors: [Double] = []
        /// How many of the waits were within the bounds told.
        var within = 0
        var gaveUp = 0

        var median: Double { errors.sorted()[errors.count / 2] }
    }

    private struct Told {
        let person: Int
        let at: Int
        let wait: Forecast.Wait
    }

    private static let script = RedisScript(
        name: "flow",
        source: Scripts.expanded(
            """
            -- @include flow
            local now, waiting = tonumber(ARGV[1]), tonumber(ARGV[2])
            redis.call('HSET', KEYS[1], 'released', ARGV[3], 'expired', ARGV[4])
            flow_note(KEYS[1], waiting, true, '-', now)
            return { flow_rates(redis.call('HGET', KEYS[1], 'flow')) }
            """), keyCount: 1)

    private static func run(_ event: Event) async throws -> Outcome {
        try await withRedis { _, redis in
            var random = SplitMix64(state: event.seed)
            var outcome = Outcome()
            var line: [(person: Int, leaves: Int?)] = []
            var told: [Told] = []
            var released: [Int: Int] = [:]
            var sessions: [Double] = []
            var (came, gone, tokens) = (0, 0, 0.0)
            var second = 0
            while came < event.people || !line.isEmpty {
                let rate = event.rates.last { $0.second <= second }!.perMinute
                while came < event.people, Double(came) * event.arrivals / Double(event.people) <= Double(second) {
                    // Exponential patience; whoever loses it is seen to be gone some time later, unless their turn has come before.
                    let patience = event.leaving > 0 ? -log(1 - random.unit()) / event.leaving : .infinity
                    line.append((came, patience < 1e6 ? second + Int(patience) : nil))
                    came += 1
                }
                let before = line.count
                line.removeAll { one in one.leaves.map { $0 + event.silence <= second } ?? false }
                gone += before - line.count
                sessions.removeAll { $0 <= Double(second) }
                tokens = min(tokens + rate / 60, max(1, rate / 60))
                let room = event.capacity > 0 ? event.capacity - sessions.count : .max
                let due = min(Int(tokens), line.count, room)
                tokens -= Double(due)
                for one in line.prefix(due) {
                    released[one.person] = second
                    sessions.append(Double(second) + event.sessions * (0.5 + random.unit()))
                }
                line.removeFirst(due)

                let values = try await redis.evaluate(
                    script, keys: ["{q:1}:counters"],
                    arguments: [
                        .integer(Int64(1_000_000 + second * 1000)), .integer(Int64(line.count)), .integer(Int64(released.count)),
                        .integer(Int64(gone)),
                    ]
                ).array!.map { Double($0.integer!) }
                let flow = Forecast.Flow(releasesPerSecond: values[0] / 1e6, seconds: values[1], leavingPerSecond: values[2] / 1e9)
                var queue = try queue(rate: rate)
                queue.maximumActive = event.capacity
                queue.sessionSeconds = Int(event.sessions * 1.5)
                let forecast = Forecast(RememberedQueue(queue), flow: flow, active: sessions.count)
                if second % 10 == 5 {
                    for index in stride(from: 0, to: line.count, by: max(1, line.count / 25)) {
                        if let wait = forecast.wait(at: index + 1) { told.append(Told(person: line[index].person, at: second, wait: wait)) }
                    }
                }
                second += 1
                precondition(second < 36_000, "an event without an end")
            }
            for one in told {
                guard let end = released[one.person], end > one.at else { continue }
                let wait = Double(end - one.at)
                outcome.errors.append(abs(one.wait.seconds - wait) / wait)
                if (one.wait.low...one.wait.high).contains(wait) { outcome.within += 1 }
            }
            outcome.gaveUp = gone
            return outcome
        }
    }

    private static func queue(rate: Double) throws -> Queue {
        let id = Identifier.random()
        return try #require(
            Queue(id: id, fields: ["tenant": id.compact, "slug": "a", "name": "a", "rate": "\(rate)", "enabled": "1"]))
    }

    @Test("with rate changes and 30 % giving up, half of the forecasts are less than a tenth off", arguments: [0, 60])
    func event(silence: Int) async throws {
        var event = Event()
        event.leaving = silence == 0 ? 0.0027 : 0.0035
        event.silence = silence
        event.rates = [(0, 600), (150, 480), (400, 720)]
        let outcome = try await Self.run(event)
        #expect((0.2...0.4).contains(Double(outcome.gaveUp) / Double(event.people)))
        #expect(outcome.median <= 0.1)
    }

    @Test("at a steady rate they are right from the first minute on")
    func steady() async throws {
        let outcome = try await Self.run(Event())
        #expect(outcome.median <= 0.02)
        #expect(Double(outcome.within) >= 0.95 * Double(outcome.errors.count))
    }

    @Test("while the rate stays, nine of ten waits are within the bounds told, however many give up")
    func bounds() async throws {
        var event = Event()
        event.leaving = 0.0027
        let outcome = try await Self.run(event)
        #expect(Double(outcome.within) >= 0.9 * Double(outcome.errors.count))
    }

    @Test("where as many are inside as may be, they follow how fast people leave")
    func capacity() async throws {
        var event = Event()
        event.people = 3000
        event.capacity = 200
        event.leaving = 0.0005
        let outcome = try await Self.run(event)
        #expect(outcome.median <= 0.1)
    }
}
