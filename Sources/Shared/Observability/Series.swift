import CoreMetrics
import Synchronization

/// Where a series belongs.
struct SeriesPlace: Sendable {
    let name: String
    let labels: Labels
}

/// One metric with one set of labels.
protocol Series: AnyObject, Sendable {
    var place: SeriesPlace { get }
    func write(name: String, labels: String, to text: inout String)
}

func formatted(_ number: Double) -> String {
    if number == .infinity { return "+Inf" }
    if number == -.infinity { return "-Inf" }
    if number.isNaN { return "NaN" }
    return number == number.rounded() && abs(number) < 1e15 ? String(Int64(number)) : "\(number)"
}

private func braces(_ labels: String) -> String { labels.isEmpty ? "" : "{\(labels)}" }

final class CounterSeries: CounterHandler, Series {
    let place: SeriesPlace
    private let value = Atomic<Int64>(0)

    init(_ place: SeriesPlace) { self.place = place }

    func increment(by amount: Int64) { value.wrappingAdd(amount, ordering: .relaxed) }

    func reset() { value.store(0, ordering: .relaxed) }

    func write(name: String, labels: String, to text: inout String) {
        text += "\(name)\(braces(labels)) \(value.load(ordering: .relaxed))\n"
    }
}

final class GaugeSeries: RecorderHandler, MeterHandler, Series {
    let place: SeriesPlace
    private let bits = Atomic<UInt64>(0)

    init(_ place: SeriesPlace) { self.place = place }

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    func increment(by amount: Double) { add(amount) }
    func decrement(by amount: Double) { add(-amount) }

    private func add(_ amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let result = bits.compareExchange(expected: old, desired: new, ordering: .relaxed)
            if result.exchanged { return }
            old = result.original
        }
    }

    func write(name: String, labels: String, to text: inout String) {
        text += "\(name)\(braces(labels)) \(formatted(Double(bitPattern: bits.load(ordering: .relaxed))))\n"
    }
}

/// A histogram; timers are recorded in seconds.
final class HistogramSeries: RecorderHandler, TimerHandler, Series {
    private struct State {
        var counts: [Int]
        var sum = 0.0
        var count = 0
    }

    let place: SeriesPlace
    private let bounds: [Double]
    private let state: Mutex<State>

    init(_ place: SeriesPlace, bounds: [Double]) {
        self.place = place
        self.bounds = Set(bounds).filter(\.isFinite).sorted()
        state = Mutex(State(counts: Array(repeating: 0, count: self.bounds.count)))
    }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        let bucket = bounds.firstIndex { value <= $0 }
        state.withLock { state in
            if let bucket { state.counts[bucket] += 1 }
            state.sum += value
            state.count += 1
        }
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    func write(name: String, labels: String, to text: inout String) {
        let (counts, sum, count) = state.withLock { ($0.counts, $0.sum, $0.count) }
        let lead = labels.isEmpty ? "" : labels + ","
        var below = 0
        for (bound, inBucket) in zip(bounds, counts) {
            below += inBucket
            text += "\(name)_bucket{\(lead)le=\"\(formatted(bound))\"} \(below)\n"
        }
        text += "\(name)_bucket{\(lead)le=\"+Inf\"} \(count)\n"
        text += "\(name)_sum\(braces(labels)) \(formatted(sum))\n\(name)_count\(braces(labels)) \(count)\n"
    }
}
