import CoreMetrics
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import Redis
import WaitingRoom

/// Answers the two routes that make up nearly all traffic, a poll of one who waits and a well-formed join, before Hummingbird sees them: at
/// a third of the cost. Whatever is unusual about a request lets it through, so that every error has one place to come from.
///
/// Answers keep the order of pipelined requests. While Hummingbird owes an answer, requests behind it go to Hummingbird as well; while hot
/// answers are owed, what is meant for Hummingbird is held back. A request is let through only before its step began in Redis: a join is
/// never tried twice.
final class HotRoutes: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Reading {
        case nothing
        case poll(HTTPRequestHead)
        case join(HTTPRequestHead, ByteBuffer)
        /// The rest of this request is Hummingbird's.
        case through
    }

    /// Hot answers owed before reading pauses.
    private static let mostPending = 64
    static let largestJoin = 4096

    private let room: Room
    /// Below it go finished bytes.
    private let encoder: ChannelHandlerContext
    private let timeLimits: RequestTimeLimits
    private let isOn: Bool

    private var reading = Reading.nothing
    /// Hot answers in the order of their requests; `nil` where one is still owed.
    private var answers = CircularBuffer<ByteBuffer?>()
    /// The number of the first of ``answers``.
    private var firstAnswer = 0
    /// Requests that Hummingbird has still to answer.
    private var passed = 0
    private var held = CircularBuffer<HTTPServerRequestPart>()
    private var heldQuiescing: Any?
    private var wantsRead = false
    private var context: ChannelHandlerContext?
    /// Of the connection, where no header can tell otherwise.
    private var address: ClientAddress?

    init(room: Room, encoder: ChannelHandlerContext, timeLimits: RequestTimeLimits) {
        self.room = room
        self.encoder = encoder
        self.timeLimits = timeLimits
        isOn = room.configuration.allowedOrigins == ["*"]
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        context.fireChannelInactive()
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        switch (reading, part) {
        case (.nothing, .head(let head)): reading = begin(head, context)
        case (.poll(let head), .end):
            reading = .nothing
            if !poll(head, context) { letThrough([part], of: head, context) }
        case (.join(let head, var body), .body(var more)) where body.readableBytes + more.readableBytes <= Self.largestJoin:
            body.writeBuffer(&more)
            reading = .join(head, body)
        case (.join(let head, let body), .end):
            reading = .nothing
            if !join(head, body, context) { letThrough([.body(body), part], of: head, context) }
        case (.poll(let head), _):
            reading = .through
            letThrough([part], of: head, context)
        case (.join(let head, let body), _):
            reading = .through
            letThrough([.body(body), part], of: head, context)
        case (.through, .end):
            reading = .nothing
            letThrough(part, context)
        case (.through, _), (.nothing, _): letThrough(part, context)
        }
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) -> Reading {
        if isOn, passed == 0, held.isEmpty, head.isKeepAlive, head.version == .http1_1, !room.readiness.isDraining {
            if head.method == .GET, head.uri.hasPrefix(Self.pollPrefix) { return .poll(head) }
            if head.method == .POST, head.uri == "/join", head.isSmallJSON { return .join(head, ByteBuffer()) }
        }
        passed += 1
        letThrough(.head(head), context)
        return .through
    }

    private func letThrough(_ parts: [HTTPServerRequestPart], of head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        passed += 1
        letThrough(.head(head), context)
        for part in parts { letThrough(part, context) }
    }

    private func letThrough(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        if answers.isEmpty, held.isEmpty { context.fireChannelRead(wrapInboundOut(part)) } else { held.append(part) }
    }

    func read(context: ChannelHandlerContext) {
        if answers.count < Self.mostPending, held.isEmpty, context.channel.isWritable {
            context.read()
        } else {
            wantsRead = true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        resumeReading(context)
        context.fireChannelWritabilityChanged()
    }

    private func resumeReading(_ context: ChannelHandlerContext) {
        guard wantsRead, answers.count < Self.mostPending, held.isEmpty, context.channel.isWritable else { return }
        wantsRead = false
        context.read()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent, !answers.isEmpty {
            heldQuiescing = event
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    // MARK: Answering

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { passed -= 1 }
        context.write(data, promise: promise)
    }

    /// Takes a number for an answer that is still to come.
    private func owe() -> Int {
        answers.append(nil)
        return firstAnswer + answers.count - 1
    }

    private func answer(_ number: Int, _ bytes: ByteBuffer) {
        guard let context else { return }
        answers[offset: number - firstAnswer] = bytes
        var wrote = false
        while case .some(.some(let next)) = answers.first {
            answers.removeFirst()
            firstAnswer += 1
            encoder.write(NIOAny(IOData.byteBuffer(next)), promise: nil)
            timeLimits.answered()
            wrote = true
        }
        if wrote { encoder.flush() }
        guard answers.isEmpty else { return resumeReading(context) }
        if !held.isEmpty {
            while let part = held.popFirst() { context.fireChannelRead(wrapInboundOut(part)) }
            context.fireChannelReadComplete()
        }
        if let event = heldQuiescing {
            heldQuiescing = nil
            context.fireUserInboundEventTriggered(event)
        }
        resumeReading(context)
    }

    private func fail(_ number: Int, _ error: any Error, _ route: HotRoute, _ started: ContinuousClock.Instant) {
        let failure = GatewayError(error)
        if failure.status == .internalServerError {
            room.logger.error("A request failed", metadata: ["route": "\(route.route)", "error": "\(error)"])
        }
        room.metrics.answered(
            method: route.method, route: route.route, status: failure.status.code, in: started.duration(to: .now))
        answer(number, HotAnswer.failure(failure))
    }

    // MARK: The two routes

    /// Whose join it is: the connection's other end, or whom a trusted proxy says it is for.
    private func address(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) -> ClientAddress {
        if let address { return address }
        let forwarded = head.headers["X-Forwarded-For"].joined(separator: ",")
        let found = ClientAddress(
            peer: context.remoteAddress?.ipAddress.flatMap { IPAddress($0) }, forwardedFor: forwarded,
            trusting: room.configuration.trustedProxies)
        if room.configuration.trustedProxies.isEmpty { address = found }
        return found
    }

    private static let pollPrefix = "/queue_status?token="

    /// Begins to answer a poll; `false` when it is not the usual one.
    private func poll(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) -> Bool {
        let token = head.uri.dropFirst(Self.pollPrefix.utf8.count)
        guard let ticket = room.queues.signer.verify(token), case .some(.some(let queue)) = room.queues.remembered(ticket.queue),
            queue.epoch == ticket.epoch
        else { return false }
        let number = owe()
        let started = ContinuousClock.now
        room.signs.note(ticket)
        let verdict = room.limits?.polls.attempt(ticket.entry.compact, number: ticket.entry.low, on: context.eventLoop)
        let place = checked(verdict, by: \.polls, room.queues.place(ticket, in: queue, on: context.eventLoop))
        place.assumeIsolatedUnsafeUnchecked().whenComplete { result in
            switch result {
            case .success((.some(let position), let length)):
                self.room.metrics.hotPolls.succeeded(since: started)
                let entry = Entry(
                    queue: ticket.queue, id: ticket.entry, sequence: ticket.sequence, visitor: ticket.visitor, state: .waiting,
                    joined: ticket.joined, finished: nil, position: position, queueLength: length, lastSeen: .now())
                self.answer(number, HotAnswer.ok(EntryBody(entry: entry, queue: queue, tenant: nil, token: String(token))))
            case .success((nil, _)): self.tellWhatBecame(of: ticket, token: String(token), queue: queue, number, started, context.eventLoop)
            case .failure(let error): self.fail(number, error, self.room.metrics.hotPolls, started)
            }
        }
        return true
    }

    /// `result`, or the error of a client that has asked too often.
    private func checked<Value: Sendable>(
        _ verdict: EventLoopFuture<AttemptLimit.Verdict>?, by limit: any KeyPath<RequestLimits, RequestLimit> & Sendable,
        _ result: EventLoopFuture<Value>
    ) -> EventLoopFuture<Value> {
        guard let verdict, let limits = room.limits else { return result }
        return verdict.and(result).flatMapThrowing { verdict, value in
            try limits.check(limits[keyPath: limit], verdict)
            return value
        }
    }

    /// Answers a poll of one who does not wait any more.
    private func tellWhatBecame(
        of ticket: Ticket, token: String, queue: Queue, _ number: Int, _ started: ContinuousClock.Instant, _ eventLoop: any EventLoop
    ) {
        let room = room
        let body = eventLoop.makeFutureWithTask {
            guard let entry = try await room.queues.status(ticket) else { throw GatewayError.tokenNotFound }
            return EntryBody(entry: entry.seenNow, queue: queue, tenant: try await room.tenants.recent(queue.tenant), token: token)
        }
        body.assumeIsolatedUnsafeUnchecked().whenComplete { result in
            switch result {
            case .success(let body):
                self.room.metrics.hotPolls.succeeded(since: started)
                self.answer(number, HotAnswer.ok(body))
            case .failure(let error): self.fail(number, error, self.room.metrics.hotPolls, started)
            }
        }
    }

    /// Answers a join that got no place with the reason.
    private func refuse(_ number: Int, _ queue: Identifier, _ started: ContinuousClock.Instant) {
        guard let context else { return }
        let room = room
        let refusal: EventLoopFuture<Void> = context.eventLoop.makeFutureWithTask { throw try await room.refusal(toJoin: queue) }
        refusal.assumeIsolatedUnsafeUnchecked().whenFailure { error in
            self.fail(number, error, self.room.metrics.hotJoins, started)
        }
    }

    /// Begins to answer a join; `false` when it is not the usual one.
    private func join(_ head: HTTPRequestHead, _ body: ByteBuffer, _ context: ChannelHandlerContext) -> Bool {
        guard let fields = try? Fields.json(Array(body.readableBytesView)),
            let join = try? JoinBody(fields, idempotencyKey: head.headers.first(name: "Idempotency-Key"), isSimulation: false),
            let key = head.apiKey.flatMap({ TenantKey($0) }), key.kind == .api,
            case .some(.some(let tenant)) = room.tenants.remembered(key.tenant), room.tenants.isKey(key, of: tenant),
            case .some(.some(let queue)) = room.queues.remembered(join.queue), queue.tenant == tenant.id, queue.isActive
        else { return false }
        var request = Queues.JoinRequest(queue: queue, visitor: join.visitor)
        request.idempotencyKey = join.idempotencyKey
        request.ticket = join.ticket(for: queue, signer: room.queues.signer)
        request.visitorIsProof = queue.uniqueVisitors
        let number = owe()
        let started = ContinuousClock.now
        let joined: EventLoopFuture<Queues.Joined?>
        let address = address(head, context)
        if let joins = room.limits?.joins,
            let verdict = joins.attempt(address.description, number: address.number, on: context.eventLoop)
        {
            // A place is taken only by those who may: here one step follows the other.
            joined = checked(verdict, by: \.joins, context.eventLoop.makeSucceededVoidFuture()).flatMap {
                [room, request, eventLoop = context.eventLoop] in room.queues.join(request, on: eventLoop)
            }
        } else {
            joined = room.queues.join(request, on: context.eventLoop)
        }
        joined.assumeIsolatedUnsafeUnchecked().whenComplete { result in
            switch result {
            case .success(nil): self.refuse(number, queue.id, started)
            case .success(.some(let joined)):
                if joined.isNew { self.room.metrics.joined(queue.id) }
                self.room.metrics.hotJoins.succeeded(since: started)
                self.answer(number, HotAnswer.ok(EntryBody(entry: joined.entry, queue: queue, tenant: nil, token: joined.token)))
            case .failure(let error): self.fail(number, error, self.room.metrics.hotJoins, started)
            }
        }
        return true
    }
}

extension HTTPRequestHead {
    /// Whether the body is announced as JSON small enough for ``HotRoutes``, without anything that needs more than reading it.
    fileprivate var isSmallJSON: Bool {
        guard let length = headers.first(name: "Content-Length").flatMap({ Int($0) }), length > 0, length <= HotRoutes.largestJoin,
            headers.first(name: "Content-Type") == "application/json"
        else { return false }
        return !headers.contains(name: "Expect") && !headers.contains(name: "Authorization") && !headers.contains(name: "Transfer-Encoding")
    }

    fileprivate var apiKey: String? {
        headers.first(name: "X-API-Key") ?? headers.first(name: "app-api-key") ?? headers.first(name: "app_api_key")
    }
}
