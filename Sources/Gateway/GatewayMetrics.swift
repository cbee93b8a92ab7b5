import HTTPTypes
import Metrics
import Observability

/// Every metric of the gateway, in one list.
struct GatewayMetrics: Sendable {
    let registry: PrometheusRegistry
    let joins: Counter
    let hotPolls: Counter
    let hotJoins: Counter

    init(registry: PrometheusRegistry) {
        self.registry = registry
        registry.describe("queue_joins_total", help: "Places taken in queues through this gateway")
        registry.describe("http_requests_total", help: "Requests answered, by route, method and status")
        registry.describe("http_request_duration_seconds", help: "Time to answer a request, by route")
        joins = Counter(label: "queue_joins_total", factory: registry)
        hotPolls = Counter(
            label: "http_requests_total", dimensions: [("route", "/queue_status"), ("method", "GET"), ("status", "200")], factory: registry)
        hotJoins = Counter(
            label: "http_requests_total", dimensions: [("route", "/join"), ("method", "POST"), ("status", "200")], factory: registry)
    }

    /// Counts one answer. `route` is the pattern, never the raw path.
    func answered(method: HTTPRequest.Method, route: String, status: Int, in duration: Duration) {
        let known: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .delete, .options]
        let name = known.contains(method) ? method.rawValue : "other"
        Counter(
            label: "http_requests_total", dimensions: [("route", route), ("method", name), ("status", String(status))], factory: registry
        ).increment()
        Metrics.Timer(label: "http_request_duration_seconds", dimensions: [("route", route)], factory: registry)
            .recordNanoseconds(duration.components.seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000)
    }
}
