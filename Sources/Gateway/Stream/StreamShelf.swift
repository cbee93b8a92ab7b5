import NIOCore
import WaitingRoom

/// The open streams of one event loop. Only touched there.
final class StreamShelf {
    /// How many people Redis is asked about at once.
    static let mostAsked = 500
    /// After so many streams other work of the event loop has its turn.
    private static let slice = 200

    let streams: StatusStreams
    let eventLoop: any EventLoop
    /// How many people Redis is being asked about.
    var asking = 0
    private var byQueue: [Identifier: [ObjectIdentifier: StatusStream]] = [:]

    init(streams: StatusStreams, eventLoop: any EventLoop) {
        self.streams = streams
        self.eventLoop = eventLoop
    }

    func add(_ stream: StatusStream) {
        byQueue[stream.ticket.queue, default: [:]][ObjectIdentifier(stream)] = stream
    }

    func remove(_ stream: StatusStream) {
        let queue = stream.ticket.queue
        byQueue[queue]?[ObjectIdentifier(stream)] = nil
        if byQueue[queue]?.isEmpty == true { byQueue[queue] = nil }
    }

    /// Does something with every stream of a queue, or of all queues, a slice in each turn of the event loop.
    func forEach(of queue: Identifier? = nil, _ work: @escaping (StatusStream, NIODeadline) -> Void) {
        let all = queue.map { byQueue[$0].map { Array($0.values) } ?? [] } ?? byQueue.values.flatMap(\.values)
        forEach(all[...], work)
    }

    private func forEach(_ streams: ArraySlice<StatusStream>, _ work: @escaping (StatusStream, NIODeadline) -> Void) {
        guard !streams.isEmpty else { return }
        let now = NIODeadline.now()
        for stream in streams.prefix(Self.slice) { work(stream, now) }
        let rest = streams.dropFirst(Self.slice)
        eventLoop.assumeIsolatedUnsafeUnchecked().execute { self.forEach(rest, work) }
    }

    /// Ends every stream at a moment of its own within `time`.
    func leave(within time: TimeAmount) {
        for stream in byQueue.values.flatMap(\.values) {
            let pause = TimeAmount.nanoseconds(.random(in: 0...time.nanoseconds))
            eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: pause) { stream.leave() }
        }
    }
}
