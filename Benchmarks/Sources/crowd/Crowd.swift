import Foundation
import Load
import NIOCore
import NIOHTTP1
import NIOPosix

/// Drives the visitors on one event loop and writes down what they see. Prints a line of JSON a second, the last with all that was seen.
@main
struct CrowdProgram {
    static func main() throws {
        guard CommandLine.arguments.count == 2 else { end(usage: "usage: crowd SETTINGS, see Benchmarks/crowd") }
        let settings = try JSONDecoder().decode(Settings.self, from: Data(CommandLine.arguments[1].utf8))
        let eventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
        let done = eventLoop.makePromise(of: Void.self)
        eventLoop.execute { Crowd(settings, on: eventLoop, done).start() }
        do {
            try done.futureResult.wait()
        } catch {
            FileHandle.standardError.write(Data("crowd: \(error)\n".utf8))
            exit(1)
        }
    }
}

/// Nobody of this crowd can join: a wrong key, or no such queue.
struct JoinRefused: Error, CustomStringConvertible {
    let description: String

    init(_ answer: Answer) {
        description = "a join was refused with \(answer.status): \(String(buffer: answer.body))"
    }
}

final class Crowd {
    private let settings: Settings
    private let eventLoop: any EventLoop
    private let done: EventLoopPromise<Void>
    private let pool: ConnectionPool
    private let started = NIODeadline.now()
    private var seen = Observations()
    private var visitors = 0
    private var isOver = false
    /// Nanoseconds. Visitors do not feel five milliseconds, and tens of thousands of timers of the event loop would cost more than requests.
    private static let tick: UInt64 = 5_000_000
    /// What is to be done, by the tick after which.
    private var steps: [UInt64: [() -> Void]] = [:]
    private var nextTick = NIODeadline.now().uptimeNanoseconds / Crowd.tick
    /// Who is on the way or here.
    private var about = 0

    init(_ settings: Settings, on eventLoop: any EventLoop, _ done: EventLoopPromise<Void>) {
        self.settings = settings
        self.eventLoop = eventLoop
        self.done = done
        pool = ConnectionPool(servers: settings.servers, connections: settings.connections, on: eventLoop)
    }

    func start() {
        for _ in 0..<settings.visitors {
            let visitor = makeVisitor()
            after(visitor.arrivalSeconds) { self.join(visitor) }
        }
        tellInASecond()
        takeSteps()
    }

    private func makeVisitor() -> Visitor {
        visitors += 1
        about += 1
        return Visitor(number: visitors, settings: settings)
    }

    private var elapsed: Double { seconds(since: started) }

    private func seconds(since moment: NIODeadline, to end: NIODeadline = .now()) -> Double { Double((end - moment).nanoseconds) / 1e9 }

    /// Does something later, unless the run is over by then.
    private func after(_ seconds: Double, _ step: @escaping () -> Void) {
        let due = NIODeadline.now() + .nanoseconds(Int64(seconds * 1e9))
        steps[due.uptimeNanoseconds / Self.tick + 1, default: []].append(step)
    }

    private func takeSteps() {
        let now = NIODeadline.now().uptimeNanoseconds / Self.tick
        while nextTick <= now {
            if let due = steps.removeValue(forKey: nextTick) {
                seen.lateness.add(.now() - .uptimeNanoseconds(nextTick * Self.tick))
                for step in due { step() }
            }
            nextTick += 1
        }
        guard !isOver else { return }
        eventLoop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(nextTick * Self.tick)) { self.takeSteps() }
    }

    private func tellInASecond() {
        eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { self.tell() }
    }

    private func tell() {
        isOver = elapsed >= settings.seconds || about == 0
        do {
            let line = try JSONEncoder().encode(Report(seen, second: elapsed, isLast: isOver))
            FileHandle.standardOutput.write(line + Data("\n".utf8))
        } catch {
            return done.fail(error)
        }
        if isOver { done.succeed() } else { tellInASecond() }
    }

    // MARK: What a visitor does

    private func join(_ visitor: Visitor) {
        let headers: HTTPHeaders = [
            "Host": "localhost", "Content-Type": "application/json", "X-API-Key": settings.apiKey, "X-Forwarded-For": visitor.address,
            "Idempotency-Key": "crowd-\(started.uptimeNanoseconds)-\(visitor.number)",
        ]
        let body = ByteBuffer(string: "{\"queue_id\":\"\(settings.queue)\",\"visitor_id\":\"crowd-\(visitor.number)\"}")
        let asked = NIODeadline.now()
        send(.POST, "/join", headers: headers, body: body) { [self] answer in
            if (400...428).contains(answer.status) { return done.fail(JoinRefused(answer)) }
            guard answer.status == 200, let token = answer.string("token") else { return again(answer) { self.join(visitor) } }
            seen.joinLatency.add(.now() - asked)
            seen.joined += 1
            seen.present += 1
            visitor.token = token
            visitor.joined = .now()
            took(answer, visitor)
            switch visitor.plan {
            case .stay: break
            case .leave(let seconds): after(seconds) { self.leave(visitor) }
            case .fallSilent(let seconds): after(seconds) { self.fallSilent(visitor) }
            }
        }
    }

    private func poll(_ visitor: Visitor) {
        guard !visitor.isGone else { return }
        let asked = NIODeadline.now()
        send(.GET, "/queue_status?token=\(visitor.token)", headers: headers(visitor)) { [self] answer in
            guard !visitor.isGone, !visitor.isLeaving else { return }
            if answer.status == 404 {
                seen.lost += 1
                return gone(visitor)
            }
            guard answer.status == 200 else { return again(answer) { self.poll(visitor) } }
            seen.pollLatency.add(.now() - asked)
            took(answer, visitor)
        }
    }

    /// Reads an answer of one who joined or polled, and polls again when it says so.
    private func took(_ answer: Answer, _ visitor: Visitor) {
        switch answer.string("status") {
        case "waiting":
            let place = answer.integer("position") ?? 0
            if place > visitor.place {
                seen.rises += 1
                seen.highestRise = max(seen.highestRise, place - visitor.place)
            }
            visitor.place = place
            visitor.waitedAt = .now()
            if let seconds = answer.integer("eta_seconds") { visitor.estimates.append(.init(told: .now(), seconds: seconds)) }
            after(Double(answer.integer("poll_after_ms") ?? 5000) / 1000) { self.poll(visitor) }
        case "ready":
            seen.released += 1
            letIn(visitor, afterSeconds: answer.integer("wait_time") ?? 0)
            gone(visitor)
        default:
            seen.lost += 1
            gone(visitor)
        }
    }

    /// The service tells whole seconds, rounded down; the visitor knows besides that they still waited at the poll before this one.
    private func letIn(_ visitor: Visitor, afterSeconds seconds: Int) {
        let told = visitor.joined + .seconds(Int64(seconds))
        let last = min(told + .seconds(1), .now())
        let first = min(max(told, visitor.waitedAt), last)
        let moment = first + .nanoseconds((last - first).nanoseconds / 2)
        seen.letIn(atSecond: Int(self.seconds(since: started, to: moment)))
        seen.waits.append(self.seconds(since: visitor.joined, to: moment))
        for estimate in visitor.estimates {
            seen.estimates.append((self.seconds(since: estimate.told, to: moment), Double(estimate.seconds)))
        }
    }

    private func leave(_ visitor: Visitor) {
        guard !visitor.isGone else { return }
        visitor.isLeaving = true
        // Who was let in meanwhile cannot leave any more: 404 is no failure.
        send(.POST, "/cancel?token=\(visitor.token)", headers: headers(visitor), expecting: 404) { [self] answer in
            guard !visitor.isGone else { return }
            guard answer.status == 204 || answer.status == 404 else { return again(answer) { self.leave(visitor) } }
            seen.left += 1
            gone(visitor)
        }
    }

    private func fallSilent(_ visitor: Visitor) {
        guard !visitor.isGone else { return }
        seen.fellSilent += 1
        gone(visitor)
    }

    private func gone(_ visitor: Visitor) {
        visitor.isGone = true
        visitor.estimates = []
        seen.present -= 1
        about -= 1
        guard settings.replace, !isOver else { return }
        join(makeVisitor())
    }

    // MARK: Requests

    private func headers(_ visitor: Visitor) -> HTTPHeaders { ["Host": "localhost", "X-Forwarded-For": visitor.address] }

    private func send(
        _ method: HTTPMethod, _ path: String, headers: HTTPHeaders, body: ByteBuffer? = nil, expecting expected: Int = 200,
        completion: @escaping (Answer) -> Void
    ) {
        seen.requests += 1
        pool.send(method, path, headers: headers, body: body) { [self] answer in
            if !(200...299).contains(answer.status), answer.status != expected { seen.failures[answer.status, default: 0] += 1 }
            if !isOver { completion(answer) }
        }
    }

    /// After a failure, when the answer says so, or in a second.
    private func again(_ answer: Answer, _ step: @escaping () -> Void) { after(Double(max(answer.retryAfterSeconds ?? 1, 1)), step) }
}
