import Foundation
import Load
import NIOCore
import NIOHTTP1
import NIOPosix

/// Sends GETs at a constant rate, each when it is due, whether or not earlier ones were answered, and prints how long answers took from when
/// they were due: a server that stalls is not spared the requests that would have come meanwhile.
@main
struct Pace {
    /// The first argument, as JSON.
    struct Settings: Codable, Sendable {
        let server: String
        /// One path a line; drawn by chance.
        let paths: String
        let ratePerSecond: Double
        let seconds: Double
        let connections: Int
    }

    static func main() throws {
        guard CommandLine.arguments.count == 2 else { end(usage: "usage: pace SETTINGS, see Benchmarks/run") }
        let settings = try JSONDecoder().decode(Settings.self, from: Data(CommandLine.arguments[1].utf8))
        let paths = try String(contentsOfFile: settings.paths, encoding: .utf8).split(separator: "\n").map(String.init)
        let eventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
        let done = eventLoop.makePromise(of: String.self)
        eventLoop.execute { Run(settings, paths, on: eventLoop, done).start() }
        print(try done.futureResult.wait())
    }
}

private final class Run {
    private let settings: Pace.Settings
    private let paths: [String]
    private let eventLoop: any EventLoop
    private let done: EventLoopPromise<String>
    private let pool: ConnectionPool
    private let headers = HTTPHeaders([("Host", "127.0.0.1")])
    private let started: NIODeadline
    private var sent = 0
    private var latencies = Latencies()
    private var failed = 0

    init(_ settings: Pace.Settings, _ paths: [String], on eventLoop: any EventLoop, _ done: EventLoopPromise<String>) {
        self.settings = settings
        self.paths = paths
        self.eventLoop = eventLoop
        self.done = done
        pool = ConnectionPool(servers: [settings.server], connections: settings.connections, on: eventLoop)
        started = .now() + .milliseconds(200)
    }

    func start() { goOn() }

    private var due: NIODeadline { started + .nanoseconds(Int64(Double(sent) * 1e9 / settings.ratePerSecond)) }

    private func goOn() {
        let total = Int(settings.ratePerSecond * settings.seconds)
        while sent < total, due <= .now() {
            let due = due
            sent += 1
            pool.send(.GET, paths.randomElement()!, headers: headers) { [self] answer in
                if answer.status == 200 { latencies.add(.now() - due) } else { failed += 1 }
                if latencies.count + failed == total { finish() }
            }
        }
        guard sent < total else { return }
        eventLoop.assumeIsolated().scheduleTask(deadline: due) { self.goOn() }
    }

    private func finish() {
        let seconds = Double((NIODeadline.now() - started).nanoseconds) / 1e9
        done.succeed(
            "{\"rate\":\(Double(sent) / seconds),\"p50\":\(latencies.milliseconds(0.5)),\"p99\":\(latencies.milliseconds(0.99)),"
                + "\"p999\":\(latencies.milliseconds(0.999)),\"errors\":\(failed)}")
    }
}
