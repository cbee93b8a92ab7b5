import Hummingbird
import Observability
import WaitingRoom

/// What Prometheus scrapes. With `METRICS_PORT` set it is served there (`OpsServer.swift`) and not here.
struct MetricsRoutes {
    let room: Room

    var routes: [Route] {
        [
            Route(
                .get, "/metrics", access: .anyone,
                Operation(
                    tag: "Service", summary: "Metrics in Prometheus's text format", answer: ["type": "string"], answerType: "text/plain"),
                handler: { _, _ in .text(room.metrics.registry.render(), type: PrometheusRegistry.contentType) })
        ]
    }
}
