import HTTPTypes
import Observability
import Redis
import TestSupport
import Testing
import WaitingRoom

@testable import Gateway

@Suite("GET /queue_status/stream", .timeLimit(.minutes(2)))
struct StreamRoutesTests {
    private func token(_ answer: Site.Answer) throws -> String { try #require(try answer.json["token"]?.string) }

    private func streamsOpen(_ site: Site) -> String? {
        site.room.metrics.registry.render().split(separator: "\n").first { $0.hasPrefix("streams_open ") }.map(String.init)
    }

    @Test("a stream tells what a poll tells, each step, and being let in; then it ends, and there is no more", arguments: ["1.1", "1.0"])
    func way(version: String) async throws {
        try await withGateway { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant, rate: 60) { $0.redirectURL = "https://shop.example/in" }
            let ahead = try token(try await site.join(queue, of: tenant))
            let token = try token(try await site.join(queue, of: tenant, visitor: "ü"))
            try await site.stream(token, version: version) { stream in
                let head = try await stream.head().lowercased()
                #expect(head.hasPrefix("http/1.1 200"))
                for line in [
                    "content-type: text/event-stream", "cache-control: no-store", "x-accel-buffering: no", "connection: close",
                    "access-control-allow-origin: *", "x-request-id: ",
                ] { #expect(head.contains("\r\n\(line)"), "\(line)") }
                #expect(!head.contains("content-length") && !head.contains("transfer-encoding"))
                let retry = try #require(try await stream.block())
                #expect(retry.hasPrefix("retry: "))
                let milliseconds = try #require(Int(retry.dropFirst(7)))
                #expect((1000...3000).contains(milliseconds))
                let first = try #require(try await stream.event())
                #expect(first.name == "status" && first.id == "2")
                let poll = try await site.get("/queue_status?token=\(token)").json
                #expect(first.data.keys == poll.keys)
                for key in poll.keys where key != "expires_at" && key != "poll_after_ms" { #expect(first.data[key] == poll[key], "\(key)") }
                #expect(streamsOpen(site) == "streams_open 1")

                #expect(try await site.post("/cancel", ["token": .string(ahead)]).status == 204)
                let second = try #require(try await stream.event())
                #expect(second.id == "1" && second.data["position"] == 1)
                #expect(try await site.room.queues.release(queue.id).people.count == 1)
                let last = try #require(try await stream.event())
                #expect(last.name == "status" && last.id == "ready")
                #expect(last.data["status"] == "ready" && last.data["redirect_url"] == "https://shop.example/in")
                try await stream.expect(nil)
            }
            try await eventually("it is closed") { streamsOpen(site) == "streams_open 0" }
            #expect(try await site.get("/queue_status/stream?token=\(token)", headers: [.lastEventID: "ready"]).status == 204)
            let again = try await site.get("/queue_status/stream?token=\(token)", headers: [.lastEventID: "1"])
            #expect(again.status == 200)
            #expect(again.text.hasPrefix("event: status\nid: ready\ndata: {") && again.text.hasSuffix("}\n\n"))
        }
    }

    @Test("who comes back is not told again what they know, and what they missed at once")
    func resume() async throws {
        try await withGateway { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant, rate: 60)
            let ahead = try token(try await site.join(queue, of: tenant))
            let token = try token(try await site.join(queue, of: tenant))
            try await site.stream(token, lastEvent: "2") { stream in
                #expect(try await site.post("/cancel", ["token": .string(ahead)]).status == 204)
                try await stream.expect("1")
            }
            for unknown in ["2", "ready", "0", "-1", "99999999999999999999", "é"] {
                try await site.stream(token, lastEvent: unknown) { stream in try await stream.expect("1") }
                try await eventually("it is closed") { streamsOpen(site) == "streams_open 0" }
            }
            // What was told once is not taken back, whatever a client says that it was told.
            try await site.stream(token, lastEvent: "1") { stream in
                _ = try await stream.head()
                #expect(try await site.room.queues.release(queue.id).people.count == 1)
                try await stream.expect("ready")
            }
        }
    }

    @Test("what a poll is refused for, a stream is: nothing begins")
    func refused() async throws {
        try await withGateway { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant)
            let token = try token(try await site.join(queue, of: tenant))
            for path in ["?token=x", "?token=\(token)A", "?token=", "", "?token=%FF"] {
                let stream = try await site.get("/queue_status/stream\(path)")
                let poll = try await site.get("/queue_status\(path)")
                #expect(stream.status == poll.status && stream.text == poll.text, "\(path)")
            }
            #expect(try await site.send(.post, "/queue_status/stream?token=\(token)").status == 405)
            let head = try await site.send(.head, "/queue_status/stream?token=\(token)")
            #expect(head.status == 200 && head.headers[.contentType] == "text/event-stream")
            #expect(streamsOpen(site) == "streams_open 0")
        }
    }

    @Test("a token has three streams, a gateway as many as it may, and a closed one makes room")
    func bounds() async throws {
        try await withGateway(["MAX_STREAMS": "4"]) { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant)
            let token = try token(try await site.join(queue, of: tenant))
            let other = try self.token(try await site.join(queue, of: tenant, visitor: "other"))
            let last = try self.token(try await site.join(queue, of: tenant, visitor: "last"))
            try await site.stream(token) { stream in
                try await stream.expect("1")
                try await site.stream(token) { second in
                    try await second.expect("1")
                    try await site.stream(token) { third in
                        try await third.expect("1")
                        let tooMany = try await site.get("/queue_status/stream?token=\(token)")
                        #expect(tooMany.status == 429 && tooMany.headers[.retryAfter] != nil)
                        #expect(try tooMany.json["code"] == "too_many_streams")
                        try await site.stream(other) { fourth in
                            try await fourth.expect("2")
                            let full = try await site.get("/queue_status/stream?token=\(last)")
                            #expect(full.status == 503 && full.headers[.retryAfter] != nil)
                            #expect(try full.json["code"] == "no_more_streams")
                        }
                    }
                }
            }
            try await eventually("all are closed") { streamsOpen(site) == "streams_open 0" }
        }
    }

    @Test("opening a stream is a poll like any other, to the limit")
    func counted() async throws {
        try await withGateway(["POLL_LIMIT_PER_MINUTE": "3"]) { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant)
            let token = try token(try await site.join(queue, of: tenant))
            for _ in 1...3 { try await site.stream(token) { stream in try await stream.expect("1") } }
            let refused = try await site.get("/queue_status/stream?token=\(token)")
            #expect(refused.status == 429)
            #expect(try refused.json["code"] == "rate_limited")
        }
    }

    @Test("who has a stream open is not given up; who has not is, and hears of it when they come back")
    func signsOfLife() async throws {
        try await withGateway { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant) { $0.waitTTLSeconds = 3 }
            let silent = try token(try await site.join(queue, of: tenant))
            let kept = try token(try await site.join(queue, of: tenant))
            try await site.stream(kept) { stream in
                try await stream.expect("2")
                try await eventually("the silent one is given up") {
                    try await site.room.queues.sweep(queue, cursor: 0, retentionHours: 1).expired == 1
                }
                try await stream.expect("1")
                // Twice as long as the silence that is allowed.
                try await Task.sleep(for: .seconds(6))
                #expect(try await site.room.queues.sweep(queue, cursor: 0, retentionHours: 1).expired == 0)
            }
            let late = try await site.get("/queue_status/stream?token=\(silent)")
            #expect(late.text.hasPrefix("event: status\nid: expired\n"))
        }
    }

    @Test("a gateway that drains sends everybody elsewhere, and newcomers after one event")
    func drain() async throws {
        try await withGateway { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant)
            let token = try token(try await site.join(queue, of: tenant))
            try await site.stream(token) { stream in
                try await stream.expect("1")
                site.room.readiness.drain()
                site.room.streams.leave(within: .milliseconds(100))
                let last = try #require(try await stream.block())
                #expect(last.hasPrefix("retry: "))
                #expect(try await stream.block() == nil)
            }
            let newcomer = try await site.get("/queue_status/stream?token=\(token)")
            #expect(newcomer.status == 200)
            #expect(newcomer.text.hasPrefix("retry: ") && newcomer.text.contains("\nid: 1\n"))
        }
    }

    @Test("a stream of a queue that was deleted ends, and is not there any more")
    func deleted() async throws {
        try await withGateway { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant)
            let token = try token(try await site.join(queue, of: tenant))
            try await site.stream(token) { stream in
                try await stream.expect("1")
                #expect(try await site.room.queues.delete(queue.id, retentionHours: 24))
                try await stream.expect(nil)
            }
            #expect(try await site.get("/queue_status/stream?token=\(token)").status == 404)
        }
    }

    @Test("while Redis is away streams say that places are kept, let in those who are lent, and go on afterwards")
    func outage() async throws {
        try await withGateway(patience: .milliseconds(500)) { site in
            let (tenant, _) = try await site.application()
            // Half of a second's worth is lent: one person.
            let queue = try await site.queue(of: tenant, rate: 120) { $0.onOutage = .lease }
            let first = try token(try await site.join(queue, of: tenant))
            let second = try token(try await site.join(queue, of: tenant, visitor: "second"))
            try await site.stream(first) { lent in
                try await lent.expect("1")
                try await site.stream(second) { kept in
                    try await kept.expect("2")
                    await site.room.leases.renew()
                    site.redis.signal(19)
                    defer { site.redis.signal(18) }
                    try await lent.expect("ready")
                    let unavailable = try #require(try await kept.event())
                    #expect(unavailable.name == "unavailable" && unavailable.id == nil)
                    #expect(unavailable.data["code"] == "unavailable")
                    site.redis.signal(18)
                    let back = try #require(try await kept.event())
                    #expect(back.name == "status" && back.data["status"] == "waiting")
                }
            }
        }
    }

    @Test("a client that asks for more on the connection of a stream is cut off; one that asks for it to be closed is told all the same")
    func connection() async throws {
        try await withGateway { site in
            let (tenant, _) = try await site.application()
            let queue = try await site.queue(of: tenant, rate: 60)
            let token = try token(try await site.join(queue, of: tenant))
            try await site.stream(token, headers: "\r\nGET /info HTTP/1.1\r\nHost: wait.example\r\n") { stream in
                let all = try await stream.rest()
                #expect(!all.contains("Anteroom"))
            }
            try await site.stream(token, headers: "Connection: close\r\n") { stream in
                try await stream.expect("1")
                #expect(try await site.room.queues.release(queue.id).people.count == 1)
                try await stream.expect("ready")
                try await stream.expect(nil)
            }
        }
    }
}
