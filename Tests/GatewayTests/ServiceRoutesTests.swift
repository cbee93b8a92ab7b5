import HTTPTypes
import TestSupport
import Testing
import WaitingRoom

@testable import Gateway

@Suite("The service about itself", .serialized)
struct ServiceRoutesTests {
    @Test("name, version and where to go")
    func about() async throws {
        try await withGateway { site in
            let root = try await site.call(.get, "/")
            #expect(root.status == 200)
            #expect(root.json["version"] == .string(anteroomVersion))
            for link in (root.json["links"]?.keys ?? []) {
                try await site.expect(200, .get, root.json["links"]?[link]?.string ?? "")
            }
            let info = try await site.call(.get, "/info")
            #expect(info.json.keys == ["name", "version", "uptime_seconds", "environment"])
            #expect(info.json["environment"] == "development")
        }
    }

    @Test("health is degraded without a worker, healthy with one")
    func workers() async throws {
        try await withGateway { site in
            let alone = try await site.call(.get, "/health")
            #expect(alone.status == 200)
            #expect(alone.json.keys == ["status", "timestamp", "services"])
            #expect(alone.json["status"] == "degraded")
            #expect(alone.json["services"] == ["api": "healthy", "redis": "healthy", "worker": "unhealthy"])
            #expect(alone.json["timestamp"]?.string?.hasSuffix("Z") == true)
            _ = try await QueueLocks(redis: site.room.redis, worker: "w", lifeMilliseconds: 60_000).beat()
            let both = try await site.call(.get, "/health")
            #expect(both.json["status"] == "healthy")
            #expect(both.json["services"]?["worker"] == "healthy")
            try await site.expect(200, .head, "/health")
            try await site.expect(405, .post, "/health")
        }
    }

    @Test("without Redis it is unhealthy and not ready, but alive; with it again all is well")
    func redisAway() async throws {
        try await withGateway { site in
            #expect(try await site.call(.get, "/health/ready").json == ["status": "ready"])
            site.redis.crash()
            try await eventually("the gateway notices") { try await site.call(.get, "/health").status == 503 }
            let health = try await site.call(.get, "/health")
            #expect(health.json["status"] == "unhealthy")
            #expect(health.json["services"]?["redis"] == "unhealthy")
            let ready = try await site.call(.get, "/health/ready")
            #expect(ready.status == 503)
            #expect(ready.json == ["status": "unavailable"])
            #expect(try await site.call(.get, "/health/live").json == ["status": "alive"])
            try await site.redis.start()
            try await eventually("it is ready again") { try await site.call(.get, "/health/ready").status == 200 }
        }
    }

    @Test("a Redis that hangs is as good as none")
    func redisHangs() async throws {
        try await withGateway(patience: .milliseconds(500)) { site in
            site.redis.signal(19)
            try await site.expect(503, .get, "/health")
            site.redis.signal(18)
            try await eventually("it is well again") { try await site.call(.get, "/health").status == 200 }
        }
    }

    @Test("while draining it is not ready, and tells connections to close")
    func draining() async throws {
        try await withGateway { site in
            site.room.readiness.drain()
            let ready = try await site.call(.get, "/health/ready")
            #expect(ready.status == 503)
            #expect(ready.json == ["status": "draining"])
            #expect(ready.headers[.connection] == "close")
        }
    }
}
