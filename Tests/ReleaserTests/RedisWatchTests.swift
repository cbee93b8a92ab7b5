import Foundation
import Redis
import TestSupport
import Testing
import WaitingRoom

@testable import Releaser

@Suite("RedisWatch, RedisHealth")
struct RedisWatchTests {
    private let start = ContinuousClock.now

    private func watch(firstLooks: Int) -> RedisWatch {
        var watch = RedisWatch(patience: .seconds(10))
        for _ in 0..<firstLooks {
            watch.answered(isFirst: true, after: .zero)
            watch.succeeded()
        }
        return watch
    }

    @Test("an outage is to be told once, when it has lasted, and anew after Redis was back")
    func once() {
        var watch = watch(firstLooks: 2)
        for _ in 0..<2 {
            #expect(watch.failed(at: start) == nil)
            #expect(watch.failed(at: start + .seconds(9)) == nil)
            #expect(watch.failed(at: start + .seconds(11)) == .seconds(11))
            #expect(watch.failed(at: start + .seconds(20)) == nil)
            watch.succeeded()
        }
        #expect(watch.failed(at: start) == nil)
        watch.succeeded()
        #expect(watch.failed(at: start + .seconds(11)) == nil)
    }

    @Test("it is told by the worker that was the first at its last two looks", arguments: [0, 1, 2])
    func byTheFirst(looks: Int) {
        var watch = watch(firstLooks: looks)
        _ = watch.failed(at: start)
        #expect((watch.failed(at: start + .seconds(60)) != nil) == (looks == 2))
        var former = self.watch(firstLooks: 2)
        former.answered(isFirst: false, after: .zero)
        _ = former.failed(at: start)
        #expect(former.failed(at: start + .seconds(60)) == nil)
    }

    @Test("slow is what was slow three times running")
    func slow() {
        var watch = watch(firstLooks: 0)
        for delay in [300, 300, 10, 300, 300] as [Int64] {
            watch.answered(isFirst: true, after: .milliseconds(delay))
            #expect(!watch.isSlow)
        }
        watch.answered(isFirst: true, after: .milliseconds(300))
        #expect(watch.isSlow)
    }

    @Test("a real Redis that is well has nothing to say; one that cannot save has")
    func saving() async throws {
        try await withRedis { server, redis in
            func health() async throws -> RedisHealth {
                RedisHealth(info: try #require(try await redis.send(RedisCommand("INFO")).string), isSlow: false)
            }
            let well = try await health()
            #expect(well.level == .good)
            // A folder of the file's name is in its way.
            let file = URL(fileURLWithPath: server.socket).deletingLastPathComponent().appendingPathComponent("dump.rdb")
            try FileManager.default.createDirectory(at: file, withIntermediateDirectories: false)
            _ = try await redis.send(RedisCommand("BGSAVE"))
            try await eventually("the save has failed") {
                let health = try await health()
                return health.level == .bad && health.problems.count == 1 && health.problems[0].contains("background")
            }
        }
    }

    @Test(
        "each trouble is said, with what to do",
        arguments: [
            ("used_memory:90\r\nmaxmemory:100", "90 % full"), ("aof_enabled:1\r\naof_last_write_status:err", "append-only"),
            ("aof_last_bgrewrite_status:err", "background"), ("role:slave\r\nslave_read_only:1", "replica"),
        ])
    func troubles(info: String, word: String) {
        let health = RedisHealth(info: info, isSlow: false)
        #expect(health.level == .bad)
        #expect(health.problems.count == 1)
        #expect(health.problems.first?.contains(word) == true)
    }

    @Test("memory a little below the limit neither begins nor ends it; without a limit it is never full")
    func close() {
        #expect(RedisHealth(info: "used_memory:85\r\nmaxmemory:100", isSlow: false).level == .calm)
        #expect(RedisHealth(info: "used_memory:84\r\nmaxmemory:100", isSlow: false).level == .good)
        #expect(RedisHealth(info: "used_memory:85\r\nmaxmemory:0", isSlow: false).level == .good)
        #expect(RedisHealth(info: "", isSlow: true).level == .bad)
    }
}
