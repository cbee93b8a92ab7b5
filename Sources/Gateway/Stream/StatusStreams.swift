import CoreMetrics
import Glibc
import HTTPTypes
import Logging
import NIOCore
import Redis
import ServiceLifecycle
import Synchronization
import WaitingRoom

/// The right to one more stream, given back when it goes.
final class StreamSlot: Sendable {
    private let giveBack: @Sendable () -> Void

    init(giveBack: @escaping @Sendable () -> Void) { self.giveBack = giveBack }

    deinit { giveBack() }
}

/// All streams that are open at this gateway. How a queue stands is found out four times a second, once for all of its streams; whom
/// Redis must be asked about are those who have left the line.
final class StatusStreams: Service, Sendable {
    /// Tabs of one visitor. A browser opens six connections to one host over HTTP/1.1, and must have some left.
    static let mostOfTicket = 3
    private static let interval = Duration.milliseconds(250)
    /// In how many rounds those far back hear once.
    private static let roundsForAll = 4

    private struct Watch {
        var open = 0
        /// How often the queue was looked at, and whether it is now.
        var rounds = 0
        var isBusy = false
    }

    private struct State {
        var open = 0
        var byTicket: [Identifier: Int] = [:]
        var byQueue: [Identifier: Watch] = [:]
        var shelves: [ObjectIdentifier: NIOLoopBound<StreamShelf>] = [:]
    }

    let queues: Queues
    let views: QueueViews
    let tenants: Tenants
    let signs: SignsOfLife
    let leases: OutageLeases
    let passes: PassSigner
    let metrics: GatewayMetrics
    private let most: Int
    private let state = Mutex(State())

    /// - Parameter most: streams at once; never more than leaves a quarter of the file descriptors to requests.
    init(
        queues: Queues, views: QueueViews, tenants: Tenants, signs: SignsOfLife, leases: OutageLeases, passes: PassSigner,
        metrics: GatewayMetrics, most: Int
    ) {
        self.queues = queues
        self.views = views
        self.tenants = tenants
        self.signs = signs
        self.leases = leases
        self.passes = passes
        self.metrics = metrics
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        self.most = Int(min(UInt64(most), UInt64(limit.rlim_cur) / 4 * 3))
    }

    // MARK: Opening

    /// Room for one more stream of the holder of `ticket`.
    /// - Throws: ``GatewayError`` 429 when they have too many, 503 when this gateway has.
    func slot(for ticket: Ticket) throws -> StreamSlot {
        try state.withLock { state in
            guard state.byTicket[ticket.entry, default: 0] < Self.mostOfTicket else { throw GatewayError.tooManyStreams }
            guard state.open < most else { throw GatewayError.noMoreStreams }
            state.open += 1
            state.byTicket[ticket.entry, default: 0] += 1
            state.byQueue[ticket.queue, default: Watch()].open += 1
            metrics.streamsOpen.record(state.open)
        }
        return StreamSlot { [weak self] in self?.giveBack(ticket) }
    }

    private func giveBack(_ ticket: Ticket) {
        state.withLock { state in
            state.open -= 1
            state.byTicket[ticket.entry] = state.byTicket[ticket.entry].flatMap { $0 > 1 ? $0 - 1 : nil }
            state.byQueue[ticket.queue]?.open -= 1
            if state.byQueue[ticket.queue]?.open == 0 { state.byQueue[ticket.queue] = nil }
            metrics.streamsOpen.record(state.open)
        }
    }

    /// Begins a stream on a connection, on whose event loop this is called.
    func begin(_ opening: StreamOpening, on channel: StreamChannel, _ eventLoop: any EventLoop) -> StatusStream {
        let shelf = state.withLock { state in
            let known = state.shelves[ObjectIdentifier(eventLoop)]
            let shelf = known ?? NIOLoopBound(StreamShelf(streams: self, eventLoop: eventLoop), eventLoop: eventLoop)
            state.shelves[ObjectIdentifier(eventLoop)] = shelf
            return shelf
        }.value
        let stream = StatusStream(opening, on: channel, in: shelf)
        shelf.add(stream)
        return stream
    }

    // MARK: News

    /// Keeps all streams told, until shut down.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    try? await Task.sleep(for: Self.interval)
                    for (queue, round) in self.queuesToLookAt() { group.addTask { await self.look(at: queue, round) } }
                }
            }
        }
    }

    /// Those with streams that are not being looked at still.
    private func queuesToLookAt() -> [(queue: Identifier, round: Int)] {
        state.withLock { state in
            state.byQueue.filter { !$0.value.isBusy }.map { queue, watch in
                state.byQueue[queue]!.isBusy = true
                state.byQueue[queue]!.rounds += 1
                return (queue, watch.rounds)
            }
        }
    }

    private func look(at id: Identifier, _ round: Int) async {
        defer { state.withLock { $0.byQueue[id]?.isBusy = false } }
        do {
            guard let queue = try await queues.recent(id) else { return forEach(of: id) { stream, _ in stream.end() } }
            let tenant = try await tenants.recent(queue.tenant)
            leases.want(queue)
            await tell(queue, tenant, round)
        } catch {
            // Nobody knows the queue while Redis is away: its streams wait.
        }
    }

    private func tell(_ queue: Queue, _ tenant: Tenant?, _ round: Int) async {
        do {
            let first = try await queues.first(of: queue) ?? .max
            if views.current(queue) == nil { try await views.fetch(queue) }
            let isForAll = round % Self.roundsForAll == 0
            let news = QueueNews(queue: queue, tenant: tenant, first: first, view: views.current(queue), isForAll: isForAll)
            forEach(of: queue.id) { stream, now in
                // Whose ticket is of another life of the queue has nothing more to be told.
                stream.ticket.epoch == queue.epoch ? stream.hear(news, now: now) : stream.end()
            }
        } catch {
            forEach(of: queue.id) { stream, _ in stream.hearOutage(queue, tenant) }
        }
    }

    private func forEach(of queue: Identifier, _ work: @escaping @Sendable (StatusStream, NIODeadline) -> Void) {
        for shelf in state.withLock({ Array($0.shelves.values) }) {
            shelf.eventLoop.execute { shelf.value.forEach(of: queue, work) }
        }
    }

    // MARK: The end

    /// Sends everybody away within `time`: this gateway is about to end.
    func leave(within time: Duration) {
        let time = TimeAmount(time)
        for shelf in state.withLock({ Array($0.shelves.values) }) { shelf.eventLoop.execute { shelf.value.leave(within: time) } }
    }
}

extension GatewayError {
    fileprivate static let tooManyStreams = GatewayError(
        status: .tooManyRequests, code: "too_many_streams",
        message: "This token has \(StatusStreams.mostOfTicket) streams open already; close one, or poll /queue_status",
        headers: [.retryAfter: "30"])

    fileprivate static let noMoreStreams = GatewayError(
        status: .serviceUnavailable, code: "no_more_streams",
        message: "No more streams can be opened here just now. Places in line are kept; poll /queue_status, and try again in a minute",
        headers: [.retryAfter: "60"])
}
