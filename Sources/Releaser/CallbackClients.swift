import AsyncHTTPClient
import NIOCore
import NIOPosix
import Synchronization

/// One HTTP client for each endpoint and checked address: connections of one endpoint never wait for those of another.
final class CallbackClients: Sendable {
    private struct Slot {
        let client: HTTPClient
        var users = 0
        var lastUse = ContinuousClock.now
    }

    private static let most = 128

    private let timeoutSeconds: Int
    private let slots = Mutex<[String: Slot]>([:])

    init(timeoutSeconds: Int) { self.timeoutSeconds = timeoutSeconds }

    /// Runs `body` with the client that connects to `address` for `host`.
    func with<Result>(host: String, address: String, _ body: (HTTPClient) async throws -> Result) async throws -> Result {
        let key = "\(host) \(address)"
        let (client, idle) = take(key, host: host, address: address)
        for one in idle { try? await one.shutdown() }
        defer {
            slots.withLock {
                $0[key]?.users -= 1
                $0[key]?.lastUse = .now
            }
        }
        return try await body(client)
    }

    private func take(_ key: String, host: String, address: String) -> (client: HTTPClient, idle: [HTTPClient]) {
        slots.withLock { slots in
            if slots[key] == nil { slots[key] = Slot(client: make(host: host, address: address)) }
            slots[key]!.users += 1
            let surplus = slots.filter { $0.value.users == 0 }.sorted { $0.value.lastUse < $1.value.lastUse }
                .prefix(max(0, slots.count - Self.most))
            for slot in surplus { slots[slot.key] = nil }
            return (slots[key]!.client, surplus.map(\.value.client))
        }
    }

    private func make(host: String, address: String) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.decompression = .disabled
        // Half of the attempt, so that another address of the host can be tried.
        configuration.timeout.connect = .milliseconds(Int64(timeoutSeconds) * 500)
        configuration.connectionPool.idleTimeout = .seconds(30)
        // What is to be tried again, and when, is the retry schedule's business.
        configuration.connectionPool.retryConnectionEstablishment = false
        // How many attempts are under way is for `CallbackSlots` to say. A limit here would be shared by tenants whose sites share a host.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 100_000
        configuration.dnsOverride = [host: address]
        return HTTPClient(eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton), configuration: configuration)
    }

    /// Closes all connections.
    func shutdown() async {
        let clients = slots.withLock { slots in
            defer { slots = [:] }
            return slots.values.map(\.client)
        }
        for client in clients { try? await client.shutdown() }
    }
}
