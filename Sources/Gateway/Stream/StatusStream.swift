import CoreMetrics
import NIOCore
import Redis
import WaitingRoom

/// What a handler has found out about somebody who is to be kept told.
struct StreamOpening: Sendable {
    let ticket: Ticket
    let token: String
    /// They wait.
    let entry: Entry
    let queue: Queue
    /// `Last-Event-ID`: what the client was told before it was cut off.
    let lastEvent: String?
    let slot: StreamSlot
}

/// How a queue stands at a moment, the same for all of its streams.
struct QueueNews: Sendable {
    let queue: Queue
    let tenant: Tenant?
    /// Changes with whatever visitors of the queue are shown beside their own place.
    let shown: Int
    /// The lowest sequence number of those who wait, now: whoever has a lower one does not. The view is older.
    let first: Int64
    /// `nil` where none is shown.
    let view: QueueView?
    /// Whether places are still drawn as far as the view goes, so that nobody is told one.
    let isDrawing: Bool
    /// Whether it is for those far back as well.
    let isForAll: Bool

    init(queue: Queue, tenant: Tenant?, first: Int64, view: QueueView?, isForAll: Bool) {
        self.queue = queue
        self.tenant = tenant
        self.first = first
        self.view = view
        self.isForAll = isForAll
        isDrawing = queue.isDrawing() || view?.isDrawing ?? false
        shown = queue.shown(view)
    }
}

/// One open stream. All of it happens on the event loop of its connection.
final class StatusStream {
    /// How long Redis is not asked again about somebody who, against what is known of the queue, does wait.
    private static let askAgain = TimeAmount.seconds(2)
    /// While people come back after a loss, each is asked about this often: it puts them back.
    private static let askRebuilding = TimeAmount.seconds(10)
    /// Stands for the place of one who has none yet.
    private static let noPlace = Int.max
    /// Who has not read for so long is cut off.
    private static let deaf = TimeAmount.seconds(60)

    let ticket: Ticket
    private let token: String
    private let slot: StreamSlot
    private let shelf: StreamShelf
    /// `nil` once it has ended.
    private var channel: StreamChannel?
    private var pace: StreamPace
    private var noted = NIODeadline.now()
    private var asked = NIODeadline.uptimeNanoseconds(0)
    private var isAsking = false
    private var isAway = false

    init(_ opening: StreamOpening, on channel: StreamChannel, in shelf: StreamShelf) {
        ticket = opening.ticket
        token = opening.token
        slot = opening.slot
        self.channel = channel
        self.shelf = shelf
        let known = opening.lastEvent.flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
        let view = shelf.streams.views.current(opening.queue)
        let isDrawing = opening.queue.isDrawing() || view?.isDrawing ?? false
        let place = isDrawing ? Self.noPlace : min(opening.entry.position, known ?? .max)
        pace = StreamPace(place: place, shown: opening.queue.shown(view), now: .now(), lead: .milliseconds(.random(in: 0...10_000)))
        write(StreamEvent.retry(milliseconds: .random(in: 1000...3000)))
        if place != known {
            tell(waiting(place, length: opening.entry.queueLength), opening.queue, view, nil)
        }
    }

    // MARK: News

    /// Notes how the queue stands, and tells the client what is worth it.
    func hear(_ news: QueueNews, now: NIODeadline) {
        let isOver = ticket.sequence < news.first
        guard let channel, isOver || news.isForAll || pace.place <= QueueView.front else { return }
        guard channel.isWritable else { return now - pace.wrote > Self.deaf ? end() : () }
        signOfLife(news.queue, now)
        let isRebuilding = shelf.streams.queues.isRebuilding
        let place = isOver ? nil : news.view.map { self.place(in: $0, of: news.queue) } ?? pace.place
        let isAskDue = place == nil ? now - asked >= Self.askAgain : isRebuilding && now - asked >= Self.askRebuilding
        if isAskDue, ask(news, now) { return }
        // While people come back after a loss a rank is far too good: what was told last stands.
        say(isRebuilding || news.isDrawing ? pace.place : place ?? pace.place, news, now)
    }

    /// - Returns: `nil` when they do not wait, as far as this gateway knows.
    private func place(in view: QueueView, of queue: Queue) -> Int? {
        guard let place = view.place(ticket.sequence) else { return nil }
        // Behind the front a view tells places of those as well who have left.
        if place > QueueView.front, case .unknown = shelf.streams.views.look(ticket, in: queue) { return nil }
        return place
    }

    /// Notes that Redis is away: those who are lent to this gateway are let in, the others keep their places.
    func hearOutage(_ queue: Queue, _ tenant: Tenant?) {
        guard let channel, channel.isWritable else { return }
        if let entry = shelf.streams.leases.spend(ticket) { return finish(entry, queue, tenant) }
        guard !isAway else { return }
        isAway = true
        write(StreamEvent.unavailable())
    }

    /// Who has a stream open has not gone.
    private func signOfLife(_ queue: Queue, _ now: NIODeadline) {
        // A little more often than from those who poll, since it is looked at once a second only.
        guard now - noted >= .milliseconds(750 * Int64(SignsOfLife.interval(waitTTLSeconds: queue.waitTTLSeconds))) else { return }
        noted = now
        shelf.streams.signs.note(ticket)
    }

    private func say(_ place: Int, _ news: QueueNews, _ now: NIODeadline) {
        // A place that was told never rises (I7 of docs/guarantees.md).
        let place = min(place, pace.place)
        let step = pace.step(to: place, shown: news.shown, now: now, mustTell: isAway)
        isAway = false
        switch step {
        case .nothing: break
        case .beat: write(StreamEvent.beat)
        case .tell: tell(waiting(place, length: news.view?.waiting ?? 0), news.queue, news.view, news.tenant)
        }
    }

    private func waiting(_ place: Int, length: Int) -> Entry {
        let place = place == Self.noPlace ? 0 : place
        return Entry(
            queue: ticket.queue, id: ticket.entry, sequence: ticket.sequence, visitor: ticket.visitor, state: .waiting,
            joined: ticket.joined, finished: nil, position: place, queueLength: max(place, length), lastSeen: .now())
    }

    private func tell(_ entry: Entry, _ queue: Queue, _ view: QueueView?, _ tenant: Tenant?) {
        let body = EntryBody(entry: entry, queue: queue, view: view, tenant: tenant, token: token, passes: shelf.streams.passes)
        write(StreamEvent.status(body))
    }

    private func write(_ event: ByteBuffer) {
        shelf.streams.metrics.streamEvents.increment()
        channel?.write(event)
    }

    // MARK: What became of them

    /// Asks Redis about one who does not wait as far as is known of the queue.
    /// - Returns: `false` when so many are being asked about that this has to wait.
    private func ask(_ news: QueueNews, _ now: NIODeadline) -> Bool {
        guard !isAsking, shelf.asking < StreamShelf.mostAsked else { return isAsking }
        isAsking = true
        shelf.asking += 1
        asked = now
        let (queues, ticket) = (shelf.streams.queues, ticket)
        let status = shelf.eventLoop.makeFutureWithTask { try await queues.status(ticket) }
        status.assumeIsolatedUnsafeUnchecked().whenComplete { result in
            self.isAsking = false
            self.shelf.asking -= 1
            switch result {
            case .success(nil): self.end()
            case .success(.some(let entry)) where entry.state == .waiting:
                self.say(self.shelf.streams.views.told(entry, in: news.queue)?.position ?? self.pace.place, news, .now())
            case .success(.some(let entry)): self.finish(entry, news.queue, news.tenant)
            case .failure: self.hearOutage(news.queue, news.tenant)
            }
        }
        return true
    }

    /// Tells what became of the visitor, and ends: a client that comes back with the id of this event hears that there is no more.
    private func finish(_ entry: Entry, _ queue: Queue, _ tenant: Tenant?) {
        tell(entry, queue, nil, tenant)
        end()
    }

    // MARK: The end

    /// Sends the client away, to another gateway.
    func leave() {
        channel?.write(StreamEvent.retry(milliseconds: .random(in: 300...1500)))
        end()
    }

    /// Closes the connection once all that was written is sent.
    func end() {
        channel?.close()
        closed()
    }

    /// Notes that the connection is closed.
    func closed() {
        guard channel != nil else { return }
        channel = nil
        shelf.remove(self)
    }
}

extension Queue {
    /// Changes with whatever visitors of the queue are shown beside their own place.
    fileprivate func shown(_ view: QueueView?) -> Int {
        var hasher = Hasher()
        hasher.combine(message)
        hasher.combine(currentRatePerMinute)
        hasher.combine(state)
        hasher.combine(view.map(RememberedQueue(self).isFull) ?? false)
        hasher.combine(opensAt)
        hasher.combine(preQueueOrder)
        hasher.combine(isOpen() && !(view?.isDrawing ?? false))
        return hasher.finalize()
    }
}
