import NIOCore
import NIOPosix
import Redis
import TestSupport
import Testing

@testable import WaitingRoom

/// One tenant with one queue on a private Redis, and short words for what tests do with it.
struct Line: Sendable {
    let redis: RedisClient
    let secret: SecretKey
    let tenants: Tenants
    let queues: Queues
    let callbacks: Callbacks
    let tenant: Tenant
    let queue: Queue

    /// Runs `body` with a line that lets in `rate` people a minute.
    static func with<Result: Sendable>(
        rate: Double = 0, change: @Sendable @escaping (inout Queue) -> Void = { _ in },
        _ body: @Sendable @escaping (Line) async throws -> Result
    ) async throws -> Result {
        try await withRedis { _, redis in
            let line = try await Line(redis: redis, rate: rate, change: change)
            return try await body(line)
        }
    }

    init(redis: RedisClient, rate: Double = 0, change: (inout Queue) -> Void = { _ in }) async throws {
        self.redis = redis
        secret = SecretKey(String(repeating: "k", count: 32))!
        tenants = Tenants(redis: redis, secret: secret)
        queues = Queues(redis: redis, secret: secret)
        callbacks = Callbacks(redis: redis)
        tenant = try #require(try await tenants.create(.init(name: "Shop", domain: "shop.example"))).tenant
        let made = try await queues.create(tenant: tenant.id, name: "Drop") {
            $0.ratePerMinute = rate
            change(&$0)
        }
        queue = try #require(made)
    }

    var keys: QueueKeys { QueueKeys(queue.id) }

    /// Joins and returns what the visitor holds.
    @discardableResult
    func join(_ visitor: String = "v", key: String? = nil, token: String? = nil, proof: Bool = false) async throws -> Queues.Joined {
        var request = Queues.JoinRequest(queue: queue, visitor: visitor)
        request.idempotencyKey = key
        request.ticket = token.flatMap { queues.signer.verify($0) }
        request.visitorIsProof = proof
        return try #require(try await queues.join(request))
    }

    /// Joins for all in one turn of an event loop.
    func joinAtOnce(_ requests: [Queues.JoinRequest]) async throws -> [Queues.Joined?] {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
        return try await eventLoop.flatSubmit { [queues] in
            EventLoopFuture.whenAllSucceed(requests.map { queues.join($0, on: eventLoop) }, on: eventLoop)
        }.get()
    }

    func ticket(_ joined: Queues.Joined) throws -> Ticket { try #require(queues.signer.verify(joined.token)) }

    func status(_ joined: Queues.Joined) async throws -> Entry? { try await queues.status(try ticket(joined)) }

    func statistics() async throws -> QueueStatistics { try await queues.statistics(of: [queue.id])[0] }

    /// Sets the bucket as if it had been emptied `seconds` ago, so that a test need not wait.
    func bucket(tokens: Double, seconds: Double, idle: Bool = false) async throws {
        let now = try #require(try await redis.send(RedisCommand("TIME")).array).compactMap(\.integer)
        let at = now[0] * 1_000_000 + now[1] - Int64(seconds * 1_000_000)
        _ = try await redis.send(
            RedisCommand("HSET", .string(keys.bucket), "tokens", .string("\(tokens)"), "at_us", .integer(at), "idle", idle ? "1" : "0"))
    }

    /// Lets one person in, whatever the rate.
    @discardableResult
    func releaseOne() async throws -> Release {
        _ = try await redis.send(RedisCommand("HSET", .string(keys.settings), "rate", "60"))
        try await bucket(tokens: 1, seconds: 0)
        let release = try await queues.release(queue.id)
        _ = try await redis.send(RedisCommand("HSET", .string(keys.settings), "rate", .string("\(queue.ratePerMinute)")))
        return release
    }

    /// Makes Redis forget what it knows of a waiting person beside their place.
    func forgetRecord(_ joined: Queues.Joined) async throws {
        let id = "\(joined.entry.sequence)-\(joined.entry.joined.milliseconds)"
        #expect(try await redis.send(RedisCommand("XDEL", .string(keys.visitors), .string(id))).integer == 1)
    }

    /// Makes Redis believe that sweeps have run until now.
    func watch() async throws {
        let now = try #require(try await redis.send(RedisCommand("TIME")).array?.first?.integer)
        _ = try await redis.send(RedisCommand("HSETNX", .string(keys.counters), "swept_at", .integer(now)))
    }

    /// Makes Redis believe that the person was last seen `seconds` ago, while sweeps ran.
    func silence(_ joined: Queues.Joined, seconds: Int) async throws {
        try await watch()
        let now = try #require(try await redis.send(RedisCommand("TIME")).array?.first?.integer)
        let score = Double(joined.entry.sequence) + Double((Int(now) - seconds) % 131_072) / 131_072
        _ = try await redis.send(
            RedisCommand("ZADD", .string(keys.waiting), "XX", .string("\(score)"), .string(joined.entry.id.compact)))
    }
}
