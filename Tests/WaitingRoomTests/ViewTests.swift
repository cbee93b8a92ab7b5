import Logging
import NIOCore
import NIOPosix
import Redis
import TestSupport
import Testing

@testable import WaitingRoom

@Suite("view-5.lua, QueueViews")
struct ViewTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.next()

    /// A line of people who were never asked for their names.
    private struct Crowd {
        let line: Line
        /// The sequence numbers of those who wait, ascending.
        var waiting: [Int64] = []
        var last: Int64 = 0

        private func member(_ sequence: Int64) -> RedisArgument { .string("p\(sequence)") }

        mutating func come(_ count: Int64) async throws {
            let new = Array(last + 1...last + count)
            for start in stride(from: 0, to: new.count, by: 1000) {
                let some = new[start..<min(start + 1000, new.count)]
                let people = some.flatMap { [RedisArgument.string("\($0).5"), member($0)] }
                _ = try await line.redis.send(RedisCommand("ZADD", arguments: [.string(line.keys.waiting)] + people))
            }
            waiting += new
            last += count
            _ = try await line.redis.send(RedisCommand("HSET", .string(line.keys.counters), "sequence", .integer(last)))
        }

        mutating func go(_ gone: Set<Int64>) async throws {
            let all = Array(gone)
            for start in stride(from: 0, to: all.count, by: 1000) {
                let some = all[start..<min(start + 1000, all.count)].map(member)
                _ = try await line.redis.send(RedisCommand("ZREM", arguments: [.string(line.keys.waiting)] + some))
            }
            waiting.removeAll(where: gone.contains)
        }

        /// A new view, made now.
        func view() async throws -> QueueView {
            let keys = line.keys
            _ = try await line.redis.send(RedisCommand("HSET", .string(keys.view), "made", "0"))
            let reply = try await line.redis.evaluate(
                Scripts.view, keys: [keys.waiting, keys.counters, keys.view, keys.sessions, keys.settings], arguments: ["0", "0"])
            let values = try #require(reply.array)
            return try #require(QueueView(id: values[1].integer ?? 0, text: values[4].bytes ?? []))
        }
    }

    @Test("places are exact for the first thousand, within 0.5 % behind them, and never rise as people go and come")
    func places() async throws {
        try await Line.with { line in
            var random = SystemRandomNumberGenerator()
            var crowd = Crowd(line: line)
            try await crowd.come(20_000)
            var told: [Int64: Int] = [:]
            _ = try await crowd.view()
            // What was counted is not counted anew, and more coarsely, where nobody has asked for a few seconds.
            let life = try #require(try await line.redis.send(RedisCommand("PTTL", .string(line.keys.view))).integer)
            #expect(life > 500_000)
            for round in 0..<8 {
                // Stretches far back are counted in turn.
                for _ in 0..<6 {
                    let view = try await crowd.view()
                    for sequence in crowd.waiting {
                        let place = try #require(view.place(sequence))
                        #expect(
                            place <= told[sequence] ?? .max, "\(sequence) rose from \(told[sequence] ?? 0) to \(place) in round \(round)")
                        told[sequence] = place
                    }
                }
                let view = try await crowd.view()
                for (index, sequence) in crowd.waiting.enumerated() {
                    let place = try #require(view.place(sequence))
                    let exact = index + 1
                    if exact <= 1000 {
                        #expect(place == exact)
                    } else {
                        #expect(place >= exact && Double(place) <= Double(exact) * 1.005, "\(place) for \(exact) in round \(round)")
                    }
                    #expect(place <= told[sequence] ?? .max, "\(sequence) rose from \(told[sequence] ?? 0) to \(place) in round \(round)")
                    told[sequence] = place
                }
                #expect(view.place(crowd.last + 1) ?? 0 >= crowd.waiting.count + 1)
                // From all over the line, from one stretch of it, and from its front; and some come.
                var gone = Set(crowd.waiting.filter { _ in Int.random(in: 0..<100, using: &random) < 3 })
                let stretch = Int.random(in: 0..<crowd.waiting.count - 600, using: &random)
                gone.formUnion(crowd.waiting[stretch..<stretch + 150])
                gone.formUnion(crowd.waiting.prefix(700))
                try await crowd.go(gone)
                let next = try await crowd.view()
                for sequence in gone where sequence <= crowd.waiting[999] { #expect(next.place(sequence) == nil) }
                try await crowd.come(300)
                for sequence in crowd.last - 299...crowd.last { told[sequence] = next.place(sequence) }
            }
        }
    }

    /// What some of those in a line were told last.
    private struct Told {
        private var places: [Int64: Int] = [:]

        /// Notes what a view tells those who wait.
        /// - Parameter waiting: the sequence numbers of all, ascending.
        /// - Returns: what is wrong with it: a place that is too small, that has risen or that is missing.
        mutating func note(_ view: QueueView, _ waiting: [Int64]) -> [String] {
            stride(from: 0, to: waiting.count, by: 3).compactMap { index in
                let (before, place) = (places[waiting[index]] ?? .max, view.place(waiting[index]) ?? 0)
                places[waiting[index]] = place
                return place <= index || place > before ? "\(index + 1) told as \(place) after \(before)" : nil
            }
        }
    }

    /// The sequence numbers of those in the line, ascending.
    private static func sequences(_ line: Line) async throws -> [Int64] {
        let reply = try await line.redis.send(RedisCommand("ZRANGE", .string(line.keys.waiting), 0, -1, "WITHSCORES"))
        let texts = (reply.array ?? []).compactMap(\.string)
        return stride(from: 1, to: texts.count, by: 2).compactMap { Double(texts[$0]).map { Int64($0) } }
    }

    @Test(
        "while lots are drawn a view tells no places; all that are told afterwards count whoever was drawn, and none rises",
        arguments: [true, false])
    func opening(isTimeTakenAway: Bool) async throws {
        try await Line.with(change: { $0.opensAt = .now().adding(seconds: 3600) }) { line in
            let crowd = Crowd(line: line)
            for _ in 0..<5 {
                let requests = (0..<500).map { Queues.JoinRequest(queue: line.queue, visitor: "v\($0)") }
                #expect(try await line.joinAtOnce(requests).allSatisfy { $0 != nil })
                #expect(try await crowd.view().isDrawing)
            }
            var open = line.queue
            open.opensAt = isTimeTakenAway ? nil : .now().adding(milliseconds: -1)
            #expect(try await line.queues.update(open, from: line.queue))
            let sequences = try await Self.sequences(line)
            #expect(sequences.count == 2500)
            var told = Told()
            for _ in 0..<30 {
                let view = try await crowd.view()
                #expect(!view.isDrawing)
                #expect(told.note(view, sequences) == [])
            }
        }
    }

    @Test("an opening that is set while people wait lets none of their places rise")
    func reopening() async throws {
        try await Line.with { line in
            var crowd = Crowd(line: line)
            try await crowd.come(6000)
            var told = Told()
            for _ in 0..<10 { #expect(told.note(try await crowd.view(), crowd.waiting) == []) }
            var drawing = line.queue
            drawing.opensAt = .now().adding(seconds: 3600)
            #expect(try await line.queues.update(drawing, from: line.queue))
            let drawn = drawing
            for _ in 0..<4 {
                let requests = (0..<500).map { Queues.JoinRequest(queue: drawn, visitor: "v\($0)") }
                #expect(try await line.joinAtOnce(requests).allSatisfy { $0 != nil })
                #expect(try await crowd.view().isDrawing)
            }
            drawing.opensAt = nil
            #expect(try await line.queues.update(drawing, from: drawn))
            let sequences = try await Self.sequences(line)
            #expect(sequences.count == 8000)
            for _ in 0..<10 { #expect(told.note(try await crowd.view(), sequences) == []) }
        }
    }

    @Test("a short line is known completely")
    func short() async throws {
        try await Line.with { line in
            var crowd = Crowd(line: line)
            #expect(try await crowd.view().place(1) == 1)
            try await crowd.come(10)
            try await crowd.go([2, 9, 10])
            let view = try await crowd.view()
            #expect((1...12).map { view.place($0) } == [1, nil, 2, 3, 4, 5, 6, 7, nil, nil, 8, 9])
        }
    }

    @Test("that one was called and another put back is seen, though as many wait as before behind the same first")
    func exchange() async throws {
        try await Line.with { line in
            guard case .added(let type) = try await line.queues.addServiceType(code: "R", name: "Returns", to: line.queue.id) else {
                Issue.record("no service type")
                return
            }
            var joined: [Entry] = []
            for (name, asked) in [("Ann", nil), ("Bob", type), ("Cay", type)] {
                let request = Queues.JoinRequest(queue: line.queue, walkIn: WalkIn(name: name, serviceType: asked))
                joined.append(try #require(try await line.queues.join(request)).entry)
            }
            let (desk, other) = (line.queues.desk("1", of: line.queue.id), line.queues.desk("2", of: line.queue.id))
            _ = try await desk.call(serviceType: type.id)
            let crowd = Crowd(line: line)
            let called = try await crowd.view()
            #expect(joined.map { called.place($0.sequence) } == [1, nil, 2])
            try await Task.sleep(for: .milliseconds(20))
            _ = try await other.call(serviceType: type.id)
            _ = try await desk.return()
            let returned = try await crowd.view()
            #expect(joined.map { returned.place($0.sequence) } == [1, 2, nil])
        }
    }

    @Test("somebody who leaves while another draws a lot is seen")
    func exchangeByLot() async throws {
        try await Line.with(change: { $0.opensAt = .now().adding(seconds: 3600) }) { line in
            var joined: [Queues.Joined] = []
            for index in 0..<10 { joined.append(try await line.join("v\(index)")) }
            joined.sort { $0.entry.sequence < $1.entry.sequence }
            let crowd = Crowd(line: line)
            #expect(try await crowd.view().place(joined[5].entry.sequence) == 6)
            #expect(try await line.queues.cancel(try line.ticket(joined[5])))
            repeat { joined.append(try await line.join("w\(joined.count)")) } while joined.last!.entry.sequence < joined[0].entry.sequence
            #expect(try await crowd.view().place(joined[5].entry.sequence) == nil)
        }
    }

    @Test("all gateways show a view from the same moment on, also before they have heard of it")
    func together() async throws {
        try await Line.with { line in
            var gateways = (0..<2).map { _ in QueueWatch.State(asked: .now(), eventLoop: loop) }
            let keys = line.keys
            /// Fetches as ``QueueViews`` does, as if no answer took any time.
            func fetch(_ gateway: inout QueueWatch.State) async throws -> Int64 {
                let known = gateway.views.last?.view.id ?? 0
                let reply = try await line.redis.evaluate(
                    Scripts.view, keys: [keys.waiting, keys.counters, keys.view, keys.sessions, keys.settings],
                    arguments: [.integer(known), "0", known == 0 ? "0" : "1"])
                let clock = try #require(reply.array?[0].integer)
                #expect(gateway.take(reply.array ?? [], at: Self.moment(clock)) != nil)
                return clock
            }
            func shown(_ clock: Int64) -> [Int64?] { gateways.indices.map { gateways[$0].shown(at: Self.moment(clock))?.id } }

            for index in gateways.indices { _ = try await fetch(&gateways[index]) }
            var views = Set<Int64?>()
            for round in 0..<8 {
                try await line.join("v\(round)")
                // A new view is made for the one, and the other hears of it later.
                try await Task.sleep(for: .milliseconds(210))
                var clock = try await fetch(&gateways[round % 2])
                for milliseconds in Int64(0)..<100 { #expect(Set(shown(clock + milliseconds)).count == 1) }
                clock = max(clock, try await fetch(&gateways[1 - round % 2]))
                for milliseconds in Int64(0)..<350 {
                    let both = Set(shown(clock + milliseconds))
                    #expect(both.count == 1)
                    views.formUnion(both)
                }
            }
            #expect(views.count > 7 && !views.contains(nil))
        }
    }

    /// The moment of a process's clock at which Redis's clock shows so many ms.
    private static func moment(_ milliseconds: Int64) -> NIODeadline { .uptimeNanoseconds(UInt64(milliseconds) * 1_000_000) }

    @Test(
        "a view that gateways show stays what all show when Redis's clock is set, or its view is gone",
        arguments: [-3_600_000, 3_600_000, nil])
    func clock(milliseconds: Int64?) async throws {
        try await Line.with { line in
            let gateways = (0..<2).map { _ in QueueViews(queues: line.queues) }
            for index in 0..<5 { try await line.join("v\(index)") }
            for gateway in gateways { try await gateway.fetch(line.queue, on: loop).get() }
            let shown = try #require(gateways[0].current(line.queue)?.id)
            if let milliseconds {
                // As if the clock had been set: what is written down is as much older.
                for field in ["made", "from"] {
                    _ = try await line.redis.send(
                        RedisCommand("HINCRBY", .string(line.keys.view), .string(field), .integer(-milliseconds)))
                }
            } else {
                _ = try await line.redis.send(RedisCommand("DEL", .string(line.keys.view)))
            }
            try await line.join("v5")
            try await gateways[0].fetch(line.queue, on: loop).get()
            #expect(gateways.map { $0.current(line.queue)?.id } == [shown, shown])
            try await gateways[1].fetch(line.queue, on: loop).get()
            #expect(gateways.map { $0.current(line.queue)?.id } == [shown, shown])
            try await Task.sleep(for: .milliseconds(350))
            let next = gateways.map { $0.current(line.queue)?.id }
            #expect(next[0] == next[1] && next[0] != nil && next[0] != shown)
        }
    }

    @Test("who waits is asked once, then told from memory, until a sign of life finds them gone")
    func memory() async throws {
        try await Line.with { line in
            let views = QueueViews(queues: line.queues)
            var joined: [Queues.Joined] = []
            for index in 0..<30 { joined.append(try await line.join("v\(index)")) }
            let far = try line.ticket(joined[29])
            guard case .unknown = views.look(far, in: line.queue) else { Issue.record("known before it was asked"); return }
            let asked = try await views.ask(far, in: line.queue, on: loop).get()
            #expect(asked.place == 30 && asked.length == 30)
            guard case .waiting(30, _, _) = views.look(far, in: line.queue) else { Issue.record("not known"); return }
            let front = try line.ticket(joined[4])
            #expect(try await views.ask(front, in: line.queue, on: loop).get().place == 5)
            guard case .unknown = views.look(front, in: line.queue) else { Issue.record("told near the front"); return }
            #expect(try await line.queues.cancel(far))
            let signs = SignsOfLife(queues: line.queues, views: views, logger: .init(label: "test"))
            signs.note(far)
            await signs.write()
            guard case .unknown = views.look(far, in: line.queue) else { Issue.record("told though gone"); return }
            #expect(try await views.ask(far, in: line.queue, on: loop).get().place == nil)
        }
    }

    @Test("nothing is told from memory once Redis knows of less than was known")
    func loss() async throws {
        try await Line.with { line in
            let views = QueueViews(queues: line.queues)
            var joined: [Queues.Joined] = []
            for index in 0..<30 { joined.append(try await line.join("v\(index)")) }
            let last = try line.ticket(joined[29])
            _ = try await views.ask(last, in: line.queue, on: loop).get()
            guard case .waiting = views.look(last, in: line.queue) else { Issue.record("not known"); return }
            _ = try await line.redis.send(RedisCommand("FLUSHALL"))
            try await views.fetch(line.queue, on: loop).get()
            guard case .unknown = views.look(last, in: line.queue) else { Issue.record("told though lost"); return }
            #expect(line.queues.isRebuilding)
        }
    }

    /// A reply of the script at 1000 ms of Redis's clock, with one view or two, the later one first.
    private func reply(_ views: (id: Int64, made: Int64, from: Int64, text: String)...) -> [RedisValue] {
        views.reduce([.integer(1000)]) {
            $0 + [.integer($1.id), .integer($1.made), .integer($1.from), .bulk(Array($1.text.utf8))]
        }
    }

    @Test("a view that is told ahead is shown from its time on, and one that no other follows for 900 ms after it was made")
    func shown() {
        var state = QueueWatch.State(asked: .now(), eventLoop: loop)
        let (now, text) = (NIODeadline.now(), "1 1 0 0 0 0 0 0 0 0 0 0 0;1 1 ;")
        #expect(
            state.take(reply((id: 900, made: 1000, from: 1200, text: text), (id: 500, made: 990, from: 700, text: text)), at: now)?.view.id
                == 900)
        #expect(state.shown(at: now)?.id == 500)
        #expect(state.shown(at: now + .milliseconds(199))?.id == 500)
        #expect(state.shown(at: now + .milliseconds(200))?.id == 900)
        // It is told to be true still.
        #expect(state.take(reply((id: 900, made: 980, from: 700, text: "")), at: now + .milliseconds(300))?.view.id == 900)
        #expect(state.shown(at: now + .milliseconds(1179))?.id == 900)
        #expect(state.shown(at: now + .milliseconds(1180)) == nil)
        #expect(state.take([.integer(1000)], at: now) == nil)
        #expect(state.take(reply((id: 1, made: 1, from: 1, text: "no view")), at: now)?.view.id == 900)
    }

    @Test("after a loss nothing is shown that was known before, and nobody is known to wait")
    func lost() {
        var state = QueueWatch.State(asked: .now(), eventLoop: loop)
        let now = NIODeadline.now()
        _ = state.take(reply((id: 900, made: 1000, from: 900, text: "1 1 0 0 0 0 0 0 0 0 0 0 0;1 1 ;")), at: now)
        state.marks[1] = 7
        _ = state.take(reply((id: 950, made: 1000, from: 1200, text: "0 9 0 1 1 9 940 0 0 0 0 0 0;;")), at: now)
        #expect(state.shown(at: now)?.id == 950 && state.marks[1] == 0)
    }
}
