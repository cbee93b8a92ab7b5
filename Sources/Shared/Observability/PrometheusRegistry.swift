package import CoreMetrics
import Synchronization

/// Keeps the metrics of a program and writes them in Prometheus's text format (Prometheus manual, "Exposition formats", version 0.0.4).
///
/// Names are used as given. A metric has at most ``maximumSeries`` sets of labels; further ones are dropped and counted in
/// `metrics_series_dropped_total`. Changing a metric is an atomic operation or a short lock of its own; only making one locks the registry.
package final class PrometheusRegistry: MetricsFactory, Sendable {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"
    /// Buckets of a histogram that says nothing else, in seconds.
    package static let defaultBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    private struct Family {
        let kind: String
        var series: [Labels: any Series] = [:]
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

    /// Sets the help text of a metric, and the bounds of its buckets when it is a histogram.
    package func describe(_ name: String, help: String, buckets: [Double]? = nil) {
        state.withLock {
            $0.help[name] = help
            if let buckets { $0.buckets[name] = buckets }
        }
    }

    // MARK: MetricsFactory

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, "counter", dimensions) { _ in CounterSeries() } ?? CounterSeries()
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate ? histogram(label, dimensions) : series(label, "gauge", dimensions) { _ in GaugeSeries() } ?? GaugeSeries()
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { histogram(label, dimensions) }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, "gauge", dimensions) { _ in GaugeSeries() } ?? GaugeSeries()
    }

    package func destroyCounter(_ handler: any CounterHandler) { remove(handler as AnyObject) }
    package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler as AnyObject) }
    package func destroyTimer(_ handler: any TimerHandler) { remove(handler as AnyObject) }
    package func destroyMeter(_ handler: any MeterHandler) { remove(handler as AnyObject) }

    private func histogram(_ label: String, _ dimensions: [(String, String)]) -> HistogramSeries {
        series(label, "histogram", dimensions) { HistogramSeries(bounds: $0) } ?? HistogramSeries(bounds: Self.defaultBuckets)
    }

    /// The series of a name and its labels, made when it is new; `nil` when the metric has too many, or is of another kind.
    private func series<Kind: Series>(_ name: String, _ kind: String, _ dimensions: [(String, String)], make: ([Double]) -> Kind) -> Kind? {
        let labels = Labels(dimensions)
        return state.withLock { state in
            var family = state.families[name] ?? Family(kind: kind)
            guard family.kind == kind else { return nil }
            if let known = family.series[labels] { return known as? Kind }
            guard family.series.count < maximumSeries else {
                state.dropped += 1
                return nil
            }
            let made = make(state.buckets[name] ?? Self.defaultBuckets)
            family.series[labels] = made
            state.families[name] = family
            return made
        }
    }

    private func remove(_ handler: AnyObject) {
        state.withLock { state in
            for (name, family) in state.families {
                guard let labels = family.series.first(where: { ($0.value as AnyObject) === handler })?.key else { continue }
                state.families[name]?.series[labels] = nil
                return
            }
        }
    }

    // MARK: Writing

    /// All metrics, by name and then by labels.
    package func render() -> String {
        let (families, help, dropped) = state.withLock { ($0.families, $0.help, $0.dropped) }
        var text = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) where !family.series.isEmpty {
            if let help = help[name] { text += "# HELP \(name) \(escapeHelp(help))\n" }
            text += "# TYPE \(name) \(family.kind)\n"
            for (labels, series) in family.series.sorted(by: { $0.key.text < $1.key.text }) {
                series.write(name: name, labels: labels.text, to: &text)
            }
        }
        if dropped > 0 { text += "# TYPE metrics_series_dropped_total counter\nmetrics_series_dropped_total \(dropped)\n" }
        return text + ProcessMetrics.render()
    }

    private func escapeHelp(_ text: String) -> String { text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n") }
}

/// The labels of one series as they are written between the braces, sorted by name.
struct Labels: Hashable {
    let text: String

    init(_ dimensions: [(String, String)]) {
        text = dimensions.sorted { $0.0 < $1.0 }.map { name, value in
            let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
            return "\(Self.name(name))=\"\(escaped)\""
        }.joined(separator: ",")
    }

    /// A label's name holds letters, digits and underscores only.
    private static func name(_ text: String) -> String {
        let name = String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
        return name.first?.isNumber ?? true ? "_" + name : name
    }
}
