import CoreMetrics
import HTTPTypes
import NIOCore
import Observability
import Redis
import Synchronization
import WaitingRoom

/// Every metric of the gateway, in one list.
struct GatewayMetrics: Sendable {
    let registry: PrometheusRegistry
    let redis: RedisMetrics
    let hotPolls: HotRoute
    let hotJoins: HotRoute
    let hotGates: HotRoute
    let streamsOpen: Gauge
    let streamEvents: Counter
    private let joins: QueueCounters
    private let releasesAtOnce: QueueCounters
    /// People let in through this gateway: as they joined, or by hand. Beside those of the workers, under the same name.
    private let released: Counter

    init(registry: PrometheusRegistry) {
        self.registry = registry
        registry.describe("queue_joins_total", help: "Places taken through this gateway, by queue")
        registry.describe("queue_released_at_once_total", help: "People let in as they joined through this gateway, by queue")
        registry.describe("queue_users_released_total", help: "People let in by this gateway: as they joined, or by hand")
        registry.describe("http_requests_total", help: "Requests answered, by route, method and status")
        registry.describe("http_request_duration_seconds", help: "Time to answer a request, by route")
        registry.describe("requests_limited_total", help: "Requests refused with 429, by the limit they met")
        registry.describe("streams_open", help: "Visitors who are kept told by a stream of events")
        registry.describe("stream_events_total", help: "Events written into streams, comments included")
        registry.describe(RedisMetrics.duration, help: RedisMetrics.durationHelp, buckets: RedisMetrics.durationBuckets)
        registry.describe(RedisMetrics.connected, help: RedisMetrics.connectedHelp)
        redis = RedisMetrics(factory: registry)
        joins = QueueCounters("queue_joins_total", registry: registry)
        releasesAtOnce = QueueCounters("queue_released_at_once_total", registry: registry)
        released = Counter(label: "queue_users_released_total", factory: registry)
        streamsOpen = Gauge(label: "streams_open", factory: registry)
        streamEvents = Counter(label: "stream_events_total", factory: registry)
        hotPolls = HotRoute(.get, "/queue_status", registry: registry)
        hotJoins = HotRoute(.post, "/join", registry: registry)
        hotGates = HotRoute(.get, "/gate/{queue}", status: 204, registry: registry)
    }

    /// Counts a place taken, if it is new, and who was let in with it.
    func joined(_ joined: Queues.Joined) {
        if joined.isNew { joins.of(joined.entry.queue).increment() }
        if joined.wentIn {
            releasesAtOnce.of(joined.entry.queue).increment()
            released.increment()
        }
    }

    /// Counts one who was let in by hand.
    func letInByHand() { released.increment() }

    /// Counts a request that met the limit of this name.
    func limited(by name: String) {
        Counter(label: "requests_limited_total", dimensions: [("limit", name)], factory: registry).increment()
    }

    /// Counts one answer. `route` is the pattern, never the raw path.
    func answered(method: HTTPRequest.Method, route: String, status: Int, in duration: Duration) {
        let known: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .delete, .options]
        let name = known.contains(method) ? method.rawValue : "other"
        Counter(
            label: "http_requests_total", dimensions: [("route", route), ("method", name), ("status", String(status))], factory: registry
        ).increment()
        CoreMetrics.Timer(label: "http_request_duration_seconds", dimensions: [("route", route)], factory: registry)
            .recordNanoseconds(duration.nanoseconds)
    }
}

/// The metrics of a route that ``HotRoutes`` answers, those of its successes kept at hand.
struct HotRoute: Sendable {
    let method: HTTPRequest.Method
    let route: String
    private let successes: Counter
    private let duration: CoreMetrics.Timer

    init(_ method: HTTPRequest.Method, _ route: String, status: Int = 200, registry: PrometheusRegistry) {
        self.method = method
        self.route = route
        successes = Counter(
            label: "http_requests_total", dimensions: [("route", route), ("method", method.rawValue), ("status", String(status))],
            factory: registry)
        duration = CoreMetrics.Timer(label: "http_request_duration_seconds", dimensions: [("route", route)], factory: registry)
    }

    func succeeded(since started: NIODeadline) {
        successes.increment()
        duration.recordNanoseconds((.now() - started).nanoseconds)
    }
}

/// A counter of each queue, kept at hand: making its labels anew would be a tenth of a join.
private final class QueueCounters: Sendable {
    private let name: String
    private let registry: PrometheusRegistry
    private let counters = Mutex<[Identifier: Counter]>([:])

    init(_ name: String, registry: PrometheusRegistry) {
        self.name = name
        self.registry = registry
    }

    func of(_ queue: Identifier) -> Counter {
        counters.withLock { counters in
            if let known = counters[queue] { return known }
            // Most of so many are of queues that were deleted. All begin anew, which Prometheus takes for a restart.
            if counters.count >= registry.maximumSeries {
                for counter in counters.values { counter.destroy() }
                counters.removeAll()
            }
            let made = Counter(label: name, dimensions: [("queue_id", queue.description)], factory: registry)
            counters[queue] = made
            return made
        }
    }
}
