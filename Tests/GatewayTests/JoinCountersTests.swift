import Observability
import Testing
import WaitingRoom

@testable import Gateway

@Suite("Joins by queue")
struct JoinCountersTests {
    @Test("more queues than a metric has room for do not keep the next ones from being counted")
    func many() {
        let registry = PrometheusRegistry(maximumSeries: 3)
        let metrics = GatewayMetrics(registry: registry)
        let queues = (0..<4).map { _ in Identifier.random() }
        for queue in queues { metrics.joined(Self.joined(queue)) }
        let lines = registry.render().split(separator: "\n").filter { $0.hasPrefix("queue_joins_total{") }
        #expect(lines == ["queue_joins_total{queue_id=\"\(queues[3])\"} 1"])
        #expect(registry.render().contains("metrics_series_dropped_total 0\n"))
    }

    private static func joined(_ queue: Identifier) -> Queues.Joined {
        let entry = Entry(
            queue: queue, id: .random(), sequence: 1, visitor: "v", state: .waiting, joined: .now(), finished: nil, position: 1,
            queueLength: 1, lastSeen: nil)
        return Queues.Joined(entry: entry, token: "", isNew: true)
    }
}
