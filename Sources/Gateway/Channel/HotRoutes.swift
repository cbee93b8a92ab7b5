import CoreMetrics
import Glibc
import HTTPTypes
import Logging
import NIOCore
import Redis
import WaitingRoom

/// Answers the routes that make up nearly all traffic, a poll of one who waits, a well-formed join and a gate check of a good pass, from
/// the connection's bytes and before the codec sees them: at a fifth of the cost. Whatever is unusual about a request lets its bytes
/// through, so that every error has one place to come from.
///
/// Answers keep the order of pipelined requests. While another answer is owed, requests behind it take the same way; while hot answers are
/// owed, what is meant for the codec is held back. A request is let through only before its step began in Redis: a join is never tried
/// twice.
///
/// The channel does not read by itself (`autoRead`): after each turn this handler asks for more, and where nothing was let through it asks
/// the socket directly.
final class HotRoutes: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    static let pollPrefix: StaticString = "/queue_status?token="
    static let gatePrefix: StaticString = "/gate/"
    /// Hot answers owed before reading pauses.
    private static let mostPending = 64
    private static let largestJoin = 4096
    /// How often a request that is not whole is read from its beginning: one that comes byte by byte is the codec's.
    private static let mostAttempts = 8

    let room: Room
    private let timeLimits: RequestTimeLimits
    private let isOn: Bool

    /// What was read and neither answered nor let through.
    private(set) var unread = ByteBuffer()
    /// How many bytes of a request are still to be let through.
    private var passing = 0
    /// All bytes from here on are let through: only the codec can tell where their requests end.
    private var isThrough = false
    /// ``unread`` waits for hot answers, not for more bytes.
    private var isHeld = false
    private var attempts = 0
    /// Whether anything was let through in this turn.
    private var hasLetThrough = false
    /// Hot answers in the order of their requests; `nil` where one is still owed.
    private var answers = CircularBuffer<ByteBuffer?>()
    /// The number of the first of ``answers``.
    private var firstAnswer = 0
    private var heldEvents: [Any] = []
    private var wantsRead = false
    private(set) var context: ChannelHandlerContext?
    /// Of the last join, since the next has the same.
    var lastKey: TenantKey?
    /// Of the connection, where no header can tell otherwise.
    var address: ClientAddress?

    init(room: Room, timeLimits: RequestTimeLimits) {
        self.room = room
        self.timeLimits = timeLimits
        isOn = room.configuration.allowedOrigins == ["*"]
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        timeLimits.onLook = { [weak self] in self?.letUnfinishedThrough() }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        context.pipeline.read()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        context.fireChannelInactive()
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if unread.readableBytes == 0 { unread = bytes } else { unread.writeBuffer(&bytes) }
        takeRequests(context)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if hasLetThrough {
            hasLetThrough = false
            context.fireChannelReadComplete()
            context.pipeline.read()
        } else if isQuiet {
            read(context: context)
        } else {
            context.pipeline.read()
        }
    }

    /// Whether no answer is owed but hot ones.
    private var isQuiet: Bool { timeLimits.answersDue == answers.count && !timeLimits.isReadingBody }

    /// Answers requests or lets them through, as far as there are any and their turn has come.
    private func takeRequests(_ context: ChannelHandlerContext) {
        isHeld = false
        while unread.readableBytes > 0 {
            if isThrough || passing > 0 {
                letThrough(isThrough ? unread.readableBytes : min(passing, unread.readableBytes), context)
                continue
            }
            let reading = unread.withUnsafeReadableBytes { PlainRequest.read($0.assumingMemoryBound(to: UInt8.self)) }
            switch reading {
            case .request(let request):
                let verdict = answers.count < Self.mostPending ? answer(request, context) : .held
                switch verdict {
                case .answered:
                    attempts = 0
                    unread.moveReaderIndex(forwardBy: request.length)
                case .unfinished: return awaitMore()
                case .notHot where answers.isEmpty: passing = request.length
                case .notHot, .held:
                    isHeld = true
                    return
                }
            case .incomplete: return awaitMore()
            case .unusual:
                guard answers.isEmpty else {
                    isHeld = true
                    return
                }
                isThrough = true
            }
        }
        unread = ByteBuffer()
    }

    private func awaitMore() {
        attempts += 1
        if attempts > Self.mostAttempts { letUnfinishedThrough() }
    }

    private func letThrough(_ length: Int, _ context: ChannelHandlerContext) {
        attempts = 0
        if !isThrough { passing -= length }
        hasLetThrough = true
        if let bytes = unread.readSlice(length: length) { context.fireChannelRead(wrapInboundOut(bytes)) }
    }

    /// Leaves a request that has not come to its end to the codec, and to the limits of how long it may take.
    private func letUnfinishedThrough() {
        guard let context, unread.readableBytes > 0, !isHeld, answers.isEmpty else { return }
        isThrough = true
        takeRequests(context)
        channelReadComplete(context: context)
    }

    func read(context: ChannelHandlerContext) {
        if answers.count < Self.mostPending, !isHeld, context.channel.isWritable {
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
        guard wantsRead else { return }
        wantsRead = false
        read(context: context)
    }

    /// Holds back, until hot answers are given, that the other end sends no more or that the service ends.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ChannelShouldQuiesceEvent || event as? ChannelEvent == .inputClosed else {
            return context.fireUserInboundEventTriggered(event)
        }
        letUnfinishedThrough()
        if answers.isEmpty { context.fireUserInboundEventTriggered(event) } else { heldEvents.append(event) }
    }

    // MARK: Answering

    private enum Verdict {
        case answered
        case notHot
        /// There is only a part of its body.
        case unfinished
        case held
    }

    private func answer(_ request: PlainRequest, _ context: ChannelHandlerContext) -> Verdict {
        guard isOn, isQuiet, !room.readiness.isDraining else { return .notHot }
        switch request.method {
        case .get where request.bodyLength == 0 && has(Self.pollPrefix, at: request.target):
            return poll(request, context) ? .answered : .notHot
        case .get where request.bodyLength == 0 && has(Self.gatePrefix, at: request.target): return gate(request) ? .answered : .notHot
        case .post where request.bodyLength > 0 && request.bodyLength <= Self.largestJoin && !request.isSpecial:
            guard equals("/join", at: request.target), equals("application/json", at: request.contentType) else { return .notHot }
            guard unread.readableBytes >= request.length else { return .unfinished }
            return join(request, context) ? .answered : .notHot
        default: return .notHot
        }
    }

    private func has(_ prefix: StaticString, at range: Range<Int>) -> Bool {
        let length = prefix.utf8CodeUnitCount
        guard range.count >= length else { return false }
        return unread.withUnsafeReadableBytes { memcmp($0.baseAddress! + range.lowerBound, prefix.utf8Start, length) == 0 }
    }

    func equals(_ text: StaticString, at range: Range<Int>?) -> Bool {
        range.map { $0.count == text.utf8CodeUnitCount && has(text, at: $0) } ?? false
    }

    func text(_ range: Range<Int>?) -> String? {
        range.flatMap { unread.getString(at: unread.readerIndex + $0.lowerBound, length: $0.count) }
    }

    /// Takes a number for an answer that is still to come.
    func owe() -> Int {
        timeLimits.asked()
        answers.append(nil)
        return firstAnswer + answers.count - 1
    }

    func answer(_ number: Int, _ bytes: ByteBuffer) {
        guard let context else { return }
        answers[offset: number - firstAnswer] = bytes
        var wrote = false
        while case .some(.some(let next)) = answers.first {
            answers.removeFirst()
            firstAnswer += 1
            context.write(wrapOutboundOut(.byteBuffer(next)), promise: nil)
            timeLimits.answered()
            wrote = true
        }
        if wrote { context.flush() }
        if isHeld {
            takeRequests(context)
            if hasLetThrough {
                hasLetThrough = false
                context.fireChannelReadComplete()
            }
        }
        if answers.isEmpty, !heldEvents.isEmpty {
            letUnfinishedThrough()
            let events = heldEvents
            heldEvents = []
            for event in events { context.fireUserInboundEventTriggered(event) }
        }
        resumeReading(context)
    }

    func fail(_ number: Int, _ error: any Error, _ route: HotRoute, _ started: NIODeadline) {
        let failure = GatewayError(error)
        if failure.status == .internalServerError {
            room.logger.error("A request failed", metadata: ["route": "\(route.route)", "error": "\(error)"])
        }
        room.metrics.answered(
            method: route.method, route: route.route, status: failure.status.code, in: .nanoseconds((.now() - started).nanoseconds))
        answer(number, HotAnswer.failure(failure))
    }

    /// `result`, or the error of a client that has asked too often.
    func checked<Value: Sendable>(
        _ verdict: EventLoopFuture<AttemptLimit.Verdict>?, by limit: any KeyPath<RequestLimits, RequestLimit> & Sendable,
        _ result: EventLoopFuture<Value>
    ) -> EventLoopFuture<Value> {
        guard let verdict, let limits = room.limits else { return result }
        return verdict.and(result).flatMapThrowing { verdict, value in
            try limits.check(limits[keyPath: limit], verdict)
            return value
        }
    }
}
