import NIOCore
import Redis
import WaitingRoom

/// A poll of one who waits, told from memory where that is enough.
extension HotRoutes {
    /// Begins to answer a poll; `false` when it is not the usual one.
    func poll(_ request: PlainRequest, _ context: ChannelHandlerContext) -> Bool {
        let range = request.target.lowerBound + Self.pollPrefix.utf8CodeUnitCount..<request.target.upperBound
        let signed = unread.withUnsafeReadableBytes {
            room.queues.signer.verify(UnsafeBufferPointer(rebasing: $0.assumingMemoryBound(to: UInt8.self)[range]))
        }
        guard let signed, case .some(.some(let queue)) = room.queues.remembered(signed.ticket.queue),
            queue.epoch == signed.ticket.epoch, !room.leases.owesRedis, !room.queues.isRebuilding
        else { return false }
        if queue.onOutage == .lease { room.leases.want(queue.queue) }
        let number = owe()
        let started = NIODeadline.now()
        let verdict = room.limits?.polls.attempt(signed.ticket.entry.compact, number: signed.ticket.entry.low, on: context.eventLoop)
        let look = room.views.look(signed, in: queue)
        if case .waiting(let place, let view, let isSign) = look {
            if isSign { room.signs.note(signed.ticket) }
            if verdict == nil {
                tell(place, of: max(place, view.waiting), view, signed, queue, number, started)
                return true
            }
        } else {
            room.signs.note(signed.ticket)
        }
        let place = checked(verdict, by: \.polls, room.views.ask(signed.ticket, in: queue.queue, on: context.eventLoop))
        place.assumeIsolatedUnsafeUnchecked().whenComplete { result in
            switch result {
            case .success((.some(let place), let length)):
                self.tell(place, of: length, self.room.views.current(queue.queue), signed, queue, number, started)
            case .success((nil, _)): self.tellWhatBecame(of: signed, queue.queue, number, started, context.eventLoop)
            case .failure(let error): self.fail(number, error, of: signed, queue.queue, started)
            }
        }
        return true
    }

    private func tell(
        _ place: Int, of length: Int, _ view: QueueView?, _ signed: SignedTicket, _ queue: RememberedQueue, _ number: Int,
        _ started: NIODeadline
    ) {
        room.metrics.hotPolls.succeeded(since: started)
        let ticket = signed.ticket
        let entry = Entry(
            queue: ticket.queue, id: ticket.entry, sequence: ticket.sequence, visitor: ticket.visitor, state: .waiting,
            joined: ticket.joined, finished: nil, position: place, queueLength: length, lastSeen: .now())
        answer(number, HotAnswer.ok(EntryBody(waiting: entry, queue: queue, view: view, token: signed.text)))
    }

    /// Answers a poll that Redis could not answer: with being let in for who is lent to this gateway, else with what is wrong.
    private func fail(
        _ number: Int, _ error: any Error, of signed: SignedTicket, _ queue: Queue, _ started: NIODeadline
    ) {
        guard (error as? RedisError)?.isUnavailable == true, let entry = room.leases.spend(signed.ticket) else {
            return fail(number, error, room.metrics.hotPolls, started)
        }
        room.metrics.hotPolls.succeeded(since: started)
        let tenant = room.tenants.lastKnown(queue.tenant)
        answer(
            number, HotAnswer.ok(EntryBody(entry: entry, queue: queue, view: nil, tenant: tenant, token: signed.text, passes: room.passes)))
    }

    /// Answers a poll of one who does not wait any more.
    private func tellWhatBecame(
        of signed: SignedTicket, _ queue: Queue, _ number: Int, _ started: NIODeadline, _ eventLoop: any EventLoop
    ) {
        let room = room
        let body = eventLoop.makeFutureWithTask {
            guard let entry = try await room.status(signed.ticket, in: queue) else { throw GatewayError.tokenNotFound }
            return EntryBody(
                entry: entry.seenNow, queue: queue, view: room.views.current(queue), tenant: try await room.tenants.recent(queue.tenant),
                token: signed.text,
                passes: room.passes)
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
}
