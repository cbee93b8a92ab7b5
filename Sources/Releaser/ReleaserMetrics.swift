import CoreMetrics
import Observability
import Redis
import Synchronization
import WaitingRoom

/// Every metric of the releaser, in one list. Those of the first group have the names and labels that the product came with.
struct ReleaserMetrics: Sendable {
    let registry: PrometheusRegistry

    let released: Counter
    let expired: Counter
    let callbackSuccesses: Counter
    let callbackFailures: Counter
    let callbackDuration: CoreMetrics.Timer

    let deadLetters: Counter
    let lockChanges: Counter
    let locksHeld: Gauge
    let callbacksUnderWay: Gauge
    let callbacksOwed: Gauge
    let releaseLag: CoreMetrics.Timer
    private let alerts: [Incident.Kind: Counter]
    private let queues = QueuesMeasured()

    init(registry: PrometheusRegistry) {
        self.registry = registry
        func counter(_ name: String, _ help: String) -> Counter {
            registry.describe(name, help: help)
            return Counter(label: name, factory: registry)
        }
        func gauge(_ name: String, _ help: String) -> Gauge {
            registry.describe(name, help: help)
            return Gauge(label: name, factory: registry)
        }
        func timer(_ name: String, _ help: String, buckets: [Double]) -> CoreMetrics.Timer {
            registry.describe(name, help: help, buckets: buckets)
            return CoreMetrics.Timer(label: name, factory: registry)
        }
        released = counter("queue_users_released_total", "People let in by this worker")
        expired = counter("queue_users_expired_total", "People given up for their silence by this worker")
        callbackSuccesses = counter("callback_success_total", "Callbacks delivered")
        callbackFailures = counter("callback_failure_total", "Attempts to deliver a callback that failed")
        callbackDuration = timer(
            "callback_duration_seconds", "Duration of each attempt to deliver a callback",
            buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])

        deadLetters = counter("callback_dead_letters_total", "Callbacks given up after their last attempt")
        lockChanges = counter("queue_lock_changes_total", "Queue locks taken by this worker")
        locksHeld = gauge("queue_locks_held", "Queues that this worker looks after")
        callbacksUnderWay = gauge("callbacks_under_way", "Attempts to deliver callbacks under way in this worker")
        callbacksOwed = gauge("callbacks_owed", "Callbacks not settled yet, of the queues that this worker looks after")
        releaseLag = timer(
            "queue_release_lag_seconds", "How late a release step began", buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1])
        registry.describe(RedisMetrics.duration, help: RedisMetrics.durationHelp, buckets: RedisMetrics.durationBuckets)
        registry.describe(RedisMetrics.connected, help: RedisMetrics.connectedHelp)
        registry.describe(
            "queue_rate_per_minute",
            help:
                "The rate asked of a queue now, told by the worker that looks after it; 0 = by hand, paused, not open yet, or as many inside as may be"
        )
        registry.describe("alerts_raised_total", help: "Incidents that this worker was the one to open, by kind")
        alerts = Dictionary(
            uniqueKeysWithValues: Incident.Kind.allCases.map {
                ($0, Counter(label: "alerts_raised_total", dimensions: [("kind", $0.rawValue)], factory: registry))
            })
        registry.describe("queue_size", help: "People waiting, told by the worker that looks after the queue")
        registry.describe("queue_active_sessions", help: "People inside, told by the worker that looks after the queue")
        registry.describe("queue_released_total", help: "People let in by this worker, by queue")
        registry.describe(
            "queue_eta_error_ratio",
            help: "By which part of their wait the last in line were told too much or too little, judged when the line had moved past them",
            buckets: [0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2])
        registry.describe(
            "queue_wait_seconds", help: "How long those let in had waited, by queue",
            buckets: [1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400])
    }

    func render() -> String { registry.render() }

    func alertsRaised(_ kind: Incident.Kind) -> Counter { alerts[kind]! }

    /// The metrics of one queue; those that only the worker that looks after it exports go with that.
    func queue(_ id: Identifier) -> QueueMetrics { queues.metrics(of: id, registry: registry) }

    /// Drops the metrics of queues that are none of `living`: deleted ones would fill the registry.
    func forget(others living: Set<Identifier>) { queues.forget(others: living) }
}

/// The queues that have metrics.
private final class QueuesMeasured: Sendable {
    private let metrics = Mutex<[Identifier: QueueMetrics]>([:])

    func metrics(of id: Identifier, registry: PrometheusRegistry) -> QueueMetrics {
        let made = QueueMetrics(id, registry: registry)
        metrics.withLock { $0[id] = made }
        return made
    }

    func forget(others living: Set<Identifier>) {
        let gone = metrics.withLock { metrics in
            let gone = metrics.filter { !living.contains($0.key) }
            for id in gone.keys { metrics[id] = nil }
            return gone
        }
        for metrics in gone.values { metrics.end() }
    }
}

/// The metrics of one queue that this worker looks after.
struct QueueMetrics: Sendable {
    private let size: Gauge
    private let rate: Gauge
    private let active: Gauge
    private let released: Counter
    private let wait: CoreMetrics.Timer
    private let forecastError: Recorder

    init(_ id: Identifier, registry: PrometheusRegistry) {
        let labels = [("queue_id", id.description)]
        size = Gauge(label: "queue_size", dimensions: labels, factory: registry)
        rate = Gauge(label: "queue_rate_per_minute", dimensions: labels, factory: registry)
        active = Gauge(label: "queue_active_sessions", dimensions: labels, factory: registry)
        released = Counter(label: "queue_released_total", dimensions: labels, factory: registry)
        wait = CoreMetrics.Timer(label: "queue_wait_seconds", dimensions: labels, factory: registry)
        forecastError = Recorder(label: "queue_eta_error_ratio", dimensions: labels, aggregate: true, factory: registry)
    }

    func asked(ratePerMinute: Double) { rate.record(ratePerMinute) }

    func released(_ release: Release) {
        size.record(Double(release.stillWaiting))
        active.record(Double(release.active))
        released.increment(by: release.people.count)
        for person in release.people { wait.recordNanoseconds(person.waited.milliseconds * 1_000_000) }
    }

    func judged(_ errors: [Double]) { for error in errors { forecastError.record(error) } }

    func isEmpty() { size.record(0) }

    /// What is not a total is exported only by the worker that looks after the queue, so that a sum over workers is right.
    func forget() {
        size.destroy()
        rate.destroy()
        active.destroy()
    }

    /// The queue is gone.
    func end() {
        forget()
        released.destroy()
        wait.destroy()
        forecastError.destroy()
    }
}
