import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Observability
import Redis
import ServiceLifecycle
import WaitingRoom

/// `/metrics` and `/health*` of the releaser, on a port of their own.
func opsServer(redis: RedisClient, metrics: ReleaserMetrics, host: String, port: Int, logger: Logger) -> some ApplicationProtocol {
    let router = Router()
    router.get("/metrics") { _, _ in answer(metrics.render(), type: PrometheusRegistry.contentType) }
    router.get("/health/live") { _, _ in answer(JSON.object([.init("status", "alive")]).text) }
    for path in ["/health", "/health/ready"] as [RouterPath] {
        router.get(path) { _, _ in
            let isHealthy = (try? await redis.send(RedisCommand("PING"))) != nil
            let body: JSON = [
                "status": isHealthy ? "healthy" : "unhealthy", "timestamp": .string(Timestamp.now().rfc3339),
                "services": ["redis": isHealthy ? "healthy" : "unhealthy", "worker": "healthy"],
            ]
            return answer(body.text, status: isHealthy ? .ok : .serviceUnavailable)
        }
    }
    return Application(
        router: router, configuration: ApplicationConfiguration(address: .hostname(host, port: port), serverName: nil), logger: logger)
}

private func answer(_ text: String, type: String = "application/json", status: HTTPResponse.Status = .ok) -> Response {
    Response(status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
}
