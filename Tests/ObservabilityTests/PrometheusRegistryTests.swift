import CoreMetrics
import Dispatch
import Foundation
import Testing

@testable import Observability

@Suite("Prometheus registry")
struct PrometheusRegistryTests {
    private let registry = PrometheusRegistry()

    private func page() throws -> Exposition { try Exposition(registry.render()) }

    @Test("a counter keeps its name and adds up over all who hold it")
    func counter() throws {
        registry.describe("queue_users_released_total", help: "People let in")
        Counter(label: "queue_users_released_total", factory: registry).increment()
        Counter(label: "queue_users_released_total", factory: registry).increment(by: 4)
        #expect(try page()["queue_users_released_total"] == 5)
        #expect(try page().kinds["queue_users_released_total"] == "counter")
        #expect(try page().help["queue_users_released_total"] == "People let in")
    }

    @Test("a gauge and a meter tell their last value")
    func gauges() throws {
        let gauge = Gauge(label: "queue_size", dimensions: [("queue_id", "a")], factory: registry)
        gauge.record(7)
        gauge.record(0)
        let meter = Meter(label: "temperature", factory: registry)
        meter.set(-2.5)
        meter.increment(by: 1)
        meter.decrement(by: 0.25)
        #expect(try page()["queue_size", ["queue_id": "a"]] == 0)
        #expect(try page()["temperature"] == -1.75)
        #expect(try page().kinds["queue_size"] == "gauge")
    }

    @Test("a histogram's buckets are cumulative, and a value on a bound is below it")
    func histogram() throws {
        registry.describe("wait_seconds", help: "Wait", buckets: [5, 1, .infinity, 1])
        let recorder = Recorder(label: "wait_seconds", dimensions: [("queue_id", "a")], factory: registry)
        for value in [0.5, 1, 1.5, 100] { recorder.record(value) }
        let page = try page()
        let buckets = page.order.filter { $0.name == "wait_seconds_bucket" }
        #expect(buckets.map { $0.labels["le"] } == ["1", "5", "+Inf"])
        #expect(buckets.map { page.values[$0] } == [2, 3, 4])
        #expect(buckets.allSatisfy { $0.labels["queue_id"] == "a" })
        #expect(page["wait_seconds_sum", ["queue_id": "a"]] == 103)
        #expect(page["wait_seconds_count", ["queue_id": "a"]] == 4)
        #expect(page.kinds["wait_seconds"] == "histogram")
    }

    @Test("a timer is a histogram in seconds")
    func timer() throws {
        Timer(label: "callback_duration_seconds", factory: registry).recordMilliseconds(250)
        let page = try page()
        #expect(page["callback_duration_seconds_sum"] == 0.25)
        #expect(page["callback_duration_seconds_bucket", ["le": "0.1"]] == 0)
        #expect(page["callback_duration_seconds_bucket", ["le": "0.25"]] == 1)
        #expect(page.order.filter { $0.name.hasSuffix("_bucket") }.count == PrometheusRegistry.defaultBuckets.count + 1)
    }

    @Test(
        "a label's value comes back as it was, whatever it holds",
        arguments: ["a\"b", "a\\b", "a\nb", "a\r\nb", "\"} 1\nforged_total 9", "\"\u{301}", "\\\u{301}\n\u{301}", "", "انتظار", "\\n"])
    func labelValues(_ value: String) throws {
        Counter(label: "c_total", dimensions: [("l", value)], factory: registry).increment()
        let page = try page()
        let samples = page.order.filter { $0.name == "c_total" }
        #expect(samples.map { Array($0.labels["l", default: "none"].utf8) } == [Array(value.utf8)])
        #expect(!page.families.contains("forged_total"))
    }

    @Test("values that Swift takes for equal but are of other bytes are series of their own")
    func canonicallyEqual() throws {
        for value in ["\u{E9}", "e\u{301}"] { Counter(label: "c_total", dimensions: [("l", value)], factory: registry).increment() }
        #expect(registry.render().unicodeScalars.split(separator: "\n").filter { String($0).hasPrefix("c_total{") }.count == 2)
    }

    @Test("help of several lines stays on one")
    func helpText() throws {
        registry.describe("c_total", help: "one\r\ntwo\nthree \\")
        Counter(label: "c_total", factory: registry).increment()
        #expect(try page().help["c_total"] == "one\r\\ntwo\\nthree \\\\")
    }

    @Test("names that Prometheus would refuse are mended, and a label is written once")
    func names() throws {
        Counter(label: "9 lives.total", dimensions: [("a-b", "1"), ("a.b", "2"), ("4", "x")], factory: registry).increment()
        Recorder(label: "size:bytes", dimensions: [("le", "7")], factory: registry).record(1)
        let page = try page()
        #expect(page["_9_lives_total", ["a_b": "1", "_4": "x"]] == 1)
        #expect(page["size:bytes_count", ["le_": "7"]] == 1)
    }

    @Test("the order of labels does not matter")
    func labelOrder() throws {
        Counter(label: "c_total", dimensions: [("a", "1"), ("b", "2")], factory: registry).increment()
        Counter(label: "c_total", dimensions: [("b", "2"), ("a", "1")], factory: registry).increment()
        #expect(try page()["c_total", ["a": "1", "b": "2"]] == 2)
    }

    @Test("the page is sorted by name, then by labels")
    func order() throws {
        for name in ["z_total", "a_total", "m_total"] {
            for label in ["b", "a", "c"] { Counter(label: name, dimensions: [("l", label)], factory: registry).increment() }
        }
        let page = try page()
        #expect(page.families == page.families.sorted())
        #expect(page.order.filter { $0.name == "a_total" }.map { $0.labels["l"] } == ["a", "b", "c"])
    }

    @Test("a destroyed series leaves the page, the others stay, and made again it starts anew")
    func removal() throws {
        func gauge(_ queue: String) -> Gauge { Gauge(label: "queue_size", dimensions: [("queue_id", queue)], factory: registry) }
        let (kept, gone) = (gauge("kept"), gauge("gone"))
        kept.record(1)
        gone.record(2)
        gone.destroy()
        gone.record(3)
        #expect(try page()["queue_size", ["queue_id": "gone"]] == nil)
        #expect(try page()["queue_size", ["queue_id": "kept"]] == 1)

        let again = gauge("gone")
        #expect(try page()["queue_size", ["queue_id": "gone"]] == 0)
        gone.destroy()
        again.record(4)
        #expect(try page()["queue_size", ["queue_id": "gone"]] == 4)

        let timer = Timer(label: "t_seconds", factory: registry)
        timer.recordSeconds(1)
        timer.destroy()
        #expect(try page().kinds["t_seconds"] == nil)
    }

    @Test("beyond its bound a metric drops series and counts them")
    func bound() throws {
        let registry = PrometheusRegistry(maximumSeries: 3)
        func counter(_ label: Int) -> Counter { Counter(label: "c_total", dimensions: [("l", "\(label)")], factory: registry) }
        let counters = (0..<5).map(counter)
        for counter in counters { counter.increment() }
        Counter(label: "other_total", factory: registry).increment()
        var page = try Exposition(registry.render())
        #expect(page.order.filter { $0.name == "c_total" }.count == 3)
        #expect(page["other_total"] == 1)
        #expect(page["metrics_series_dropped_total"] == 2)

        counters[0].destroy()
        counter(9).increment()
        page = try Exposition(registry.render())
        #expect(page["c_total", ["l": "9"]] == 1)
        #expect(page["metrics_series_dropped_total"] == 2)
    }

    @Test("a name keeps its first kind; a series of another kind is dropped")
    func kinds() throws {
        Counter(label: "c_total", factory: registry).increment()
        Gauge(label: "c_total", factory: registry).record(9)
        #expect(try page()["c_total"] == 1)
        #expect(try page()["metrics_series_dropped_total"] == 1)
    }

    /// On threads of their own, for the pool that tests share may run tasks one after the other; in loops of one operation each, for other
    /// work between two increments would hide a lost one.
    @Test("no increment is lost between threads")
    func concurrency() throws {
        let registry = registry
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            let counter = Counter(label: "c_total", factory: registry)
            for _ in 0..<500_000 { counter.increment() }
            let meter = Meter(label: "m", factory: registry)
            for _ in 0..<500_000 { meter.increment(by: 1) }
            let recorder = Recorder(label: "r", factory: registry)
            for _ in 0..<50_000 { recorder.record(3) }
        }
        let page = try page()
        #expect(page["c_total"] == 2_000_000)
        #expect(page["m"] == 2_000_000)
        #expect(page["r_count"] == 200_000)
        #expect(page["r_sum"] == 600_000)
        #expect(page["r_bucket", ["le": "2.5"]] == 0)
    }

    @Test("a histogram read while it is written is whole")
    func untorn() async throws {
        let registry = registry
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let recorder = Recorder(label: "r", factory: registry)
                for _ in 0..<100_000 { recorder.record(3) }
            }
            group.addTask {
                for _ in 0..<50 {
                    let page = try Exposition(registry.render())
                    #expect(page["r_bucket", ["le": "5"]] == page["r_count"])
                    #expect(page["r_sum"] == page["r_count"].map { $0 * 3 })
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("ten thousand queues are made, written and removed again")
    func many() throws {
        let gauges = (0..<10_000).map { Gauge(label: "queue_size", dimensions: [("queue_id", "\($0)")], factory: registry) }
        #expect(try page().order.filter { $0.name == "queue_size" }.count == 10_000)
        for gauge in gauges { gauge.destroy() }
        #expect(try page().kinds["queue_size"] == nil)
    }

    @Test("a page tells of its process")
    func process() throws {
        let page = try page()
        let start = try #require(page["process_start_time_seconds"])
        let now = Date().timeIntervalSince1970
        #expect(start > now - 86_400 && start <= now)
        #expect(try #require(page["process_resident_memory_bytes"]) > 1_000_000)
        #expect(page["process_cpu_seconds_total"] != nil)
        let before = try #require(page["process_open_fds"])
        let files = (0..<64).compactMap { _ in FileHandle(forReadingAtPath: "/dev/null") }
        defer { for file in files { try? file.close() } }
        #expect(try #require(try self.page()["process_open_fds"]) >= before + 32)
    }
}
