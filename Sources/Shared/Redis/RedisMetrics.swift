package import CoreMetrics

/// Tells a metrics back end how long commands take, and whether there is a connection.
package struct RedisMetrics: RedisObserver {
    package static let duration = "redis_command_duration_seconds"
    package static let durationHelp = "Time from a command's turn to be sent to its reply or failure"
    /// Bounds of the histogram's buckets, in seconds.
    package static let durationBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
    package static let connected = "redis_connected"
    package static let connectedHelp = "1 while there is a connection to Redis, else 0"

    private let commands: CoreMetrics.Timer
    private let connections: Gauge

    package init(factory: any MetricsFactory) {
        commands = CoreMetrics.Timer(label: Self.duration, factory: factory)
        connections = Gauge(label: Self.connected, factory: factory)
    }

    package func commandFinished(name: String, outcome: String, nanoseconds: UInt64) { commands.recordNanoseconds(Int64(nanoseconds)) }

    package func connectionsChanged(ready: Int) { connections.record(ready > 0 ? 1 : 0) }
}
