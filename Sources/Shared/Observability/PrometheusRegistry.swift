package import CoreMetrics
import Synchronization

/// Keeps the metrics of a program and writes them in Prometheus's text format (Prometheus manual, "Exposition formats", version 0.0.4).
///
/// Names are used as given, save for characters that Prometheus would refuse. A metric has at most ``maximumSeries`` sets of labels and one
/// kind, that of its first series; what does not fit is dropped, and each time counted in `metrics_series_dropped_total`. Changing a metric
/// is an atomic operation, of a histogram a short lock of its own; only making and destroying one locks the registry.
package final class PrometheusRegistry: MetricsFactory, Sendable {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"
    /// Buckets of a histogram that says nothing else, in seconds.
    package static let defaultBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    private struct Family {
        let kind: String
        var series: [Labels: any Series] = [:]

        /// Changed in place: a copy of the dictionary for each new series would cost the square of their number.
        mutating func keep(_ new: any Series, of kind: String, atMost maximum: Int) -> Bool {
            guard kind == self.kind, series.count < maximum else { return false }
            series[new.place.labels] = new
            return true
        }
    }

    private struct State {
        var families: [String: Family] = [:]
        var help: [String: String] = [:]
        var buckets: [String: [Double]] = [:]
        var dropped = 0
    }

    package let maximumSeries: Int
    private let state = Mutex(State())

    package init(maximumSeries: Int = 10_000) {
        self.maximumSeries = maximumSeries
        // Read once now: it stands for the start of the process.
        _ = ProcessMetrics.started
    }

    /// Sets the help text of a metric, and the bounds of the buckets of its series made from now on when it is a histogram (seconds for a
    /// timer, default ``defaultBuckets``; `+Inf` is added).
    package func describe(_ name: String, help: String, buckets: [Double]? = nil) {
        let name = mendedName(name, allowingColon: true)
        state.withLock {
            $0.help[name] = help
            if let buckets { $0.buckets[name] = buckets }
        }
    }

    // MARK: MetricsFactory

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, "counter", dimensions) { place, _ in CounterSeries(place) }
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate ? histogram(label, dimensions) : gauge(label, dimensions)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { histogram(label, dimensions) }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler { gauge(label, dimensions) }

    package func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { remove(handler) }
    package func destroyMeter(_ handler: any MeterHandler) { remove(handler) }

    private func gauge(_ label: String, _ dimensions: [(String, String)]) -> GaugeSeries {
        series(label, "gauge", dimensions) { place, _ in GaugeSeries(place) }
    }

    private func histogram(_ label: String, _ dimensions: [(String, String)]) -> HistogramSeries {
        series(label, "histogram", dimensions) { HistogramSeries($0, bounds: $1) }
    }

    /// The series of a name and its labels, made when it is new; one that is never written when the metric has too many or another kind.
    private func series<Made: Series>(
        _ label: String, _ kind: String, _ dimensions: [(String, String)], make: (SeriesPlace, [Double]) -> Made
    ) -> Made {
        let place = SeriesPlace(name: mendedName(label, allowingColon: true), labels: Labels(dimensions))
        return state.withLock { state in
            if let known = state.families[place.name]?.series[place.labels] as? Made { return known }
            let made = make(place, state.buckets[place.name] ?? Self.defaultBuckets)
            let isKept = state.families[place.name, default: Family(kind: kind)].keep(made, of: kind, atMost: maximumSeries)
            if !isKept { state.dropped += 1 }
            return made
        }
    }

    /// Removes just this series: one that was made anew under the same name and labels stays.
    private func remove(_ handler: AnyObject) {
        guard let series = handler as? any Series else { return }
        state.withLock { state in
            guard state.families[series.place.name]?.series[series.place.labels] === series else { return }
            state.families[series.place.name]?.series[series.place.labels] = nil
        }
    }

    // MARK: Writing

    /// All metrics, by name and then by labels, and those of the process among them.
    package func render() -> String {
        let (families, help, dropped) = state.withLock { ($0.families, $0.help, $0.dropped) }
        var metrics = ProcessMetrics.render()
        let droppedName = "metrics_series_dropped_total"
        let droppedHelp = "Series dropped because their metric had too many or another kind"
        metrics[droppedName] = renderSingle(droppedName, droppedHelp, Double(dropped), kind: "counter")
        for (name, family) in families where !family.series.isEmpty {
            var text = help[name].map { "# HELP \(name) \(escapedText($0, quotes: false))\n" } ?? ""
            text += "# TYPE \(name) \(family.kind)\n"
            for (labels, series) in family.series.sorted(by: { Labels.precedes($0.key, $1.key) }) {
                series.write(name: name, labels: labels.text, to: &text)
            }
            metrics[name] = text
        }
        return metrics.sorted { $0.key < $1.key }.map(\.value).joined()
    }
}

/// A metric without labels that is only read when it is written.
func renderSingle(_ name: String, _ help: String, _ value: Double, kind: String = "gauge") -> String {
    "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n\(name) \(formatted(value))\n"
}
