import NIOCore
import Redis
import WaitingRoom

/// A join that takes a place, together with others of the same turn of the event loop.
extension HotRoutes {
    /// Begins to answer a join; `false` when it is not the usual one.
    func join(_ request: PlainRequest, _ context: ChannelHandlerContext) -> Bool {
        guard let join = joinBody(request), let key = text(request.key).flatMap(tenantKey), key.kind == .api,
            case .some(.some(let tenant)) = room.tenants.remembered(key.tenant), room.tenants.isKey(key, of: tenant),
            case .some(.some(let queue)) = room.queues.remembered(join.queue), queue.queue.tenant == tenant.id,
            queue.queue.isActive, !queue.queue.asksProof
        else { return false }
        let address = address(request, context)
        var request = Queues.JoinRequest(queue: queue.queue, visitor: join.visitor)
        request.idempotencyKey = join.idempotencyKey
        request.ticket = join.ticket(for: queue.queue, signer: room.queues.signer)
        request.visitorIsProof = queue.queue.uniqueVisitors
        request.sharesRate = tenant.ratePerMinute != nil
        let number = owe()
        let started = NIODeadline.now()
        let joined: EventLoopFuture<Queues.Joined?>
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
            case .success(nil): self.joinAgain(request, queue, tenant, number, started)
            case .success(.some(let joined)): self.answer(number, joined, queue, tenant, started)
            case .failure(let error): self.fail(number, error, self.room.metrics.hotJoins, started)
            }
        }
        return true
    }

    /// Whose join it is: the connection's other end, or whom a trusted proxy says it is for.
    private func address(_ request: PlainRequest, _ context: ChannelHandlerContext) -> ClientAddress {
        if let address { return address }
        let found = ClientAddress(
            peer: context.remoteAddress?.ipAddress.flatMap { IPAddress($0) }, forwardedFor: text(request.forwardedFor),
            trusting: room.configuration.trustedProxies)
        if room.configuration.trustedProxies.isEmpty { address = found }
        return found
    }

    private func joinBody(_ request: PlainRequest) -> JoinBody? {
        let idempotencyKey = text(request.idempotencyKey)
        let range = request.headLength..<request.length
        let plain = unread.withUnsafeReadableBytes {
            PlainJoin(UnsafeBufferPointer(rebasing: $0.assumingMemoryBound(to: UInt8.self)[range]))
        }
        if let plain { return JoinBody(plain, idempotencyKey: idempotencyKey) }
        guard let body = unread.getBytes(at: unread.readerIndex + range.lowerBound, length: range.count),
            let fields = try? Fields.json(body)
        else { return nil }
        return try? JoinBody(fields, idempotencyKey: idempotencyKey, isSimulation: false)
    }

    private func tenantKey(_ text: String) -> TenantKey? {
        if lastKey?.text != text { lastKey = TenantKey(text) }
        return lastKey
    }

    /// Answers a join that took no place: with one after all when Redis had lost what it needed, else with the reason.
    private func joinAgain(
        _ request: Queues.JoinRequest, _ queue: RememberedQueue, _ tenant: Tenant, _ number: Int, _ started: NIODeadline
    ) {
        guard let context else { return }
        let room = room
        let joined = context.eventLoop.makeFutureWithTask {
            guard let joined = try await room.queues.join(request) else { throw try await room.refusal(toJoin: request.queue) }
            return joined
        }
        joined.assumeIsolatedUnsafeUnchecked().whenComplete { result in
            switch result {
            case .success(let joined): self.answer(number, joined, queue, tenant, started)
            case .failure(let error): self.fail(number, error, self.room.metrics.hotJoins, started)
            }
        }
    }

    private func answer(_ number: Int, _ joined: Queues.Joined, _ queue: RememberedQueue, _ tenant: Tenant, _ started: NIODeadline) {
        room.metrics.joined(joined)
        if let entry = room.views.told(joined.entry, in: queue.queue) { return tell(entry, joined.token, queue, tenant, number, started) }
        guard let context else { return }
        room.views.fetch(queue.queue, on: context.eventLoop).assumeIsolatedUnsafeUnchecked().whenComplete { _ in
            let entry = self.room.views.told(joined.entry, in: queue.queue) ?? joined.entry
            self.tell(entry, joined.token, queue, tenant, number, started)
        }
    }

    private func tell(
        _ joined: Entry, _ token: String, _ queue: RememberedQueue, _ tenant: Tenant, _ number: Int, _ started: NIODeadline
    ) {
        room.metrics.hotJoins.succeeded(since: started)
        let view = room.views.current(queue.queue)
        answer(
            number,
            HotAnswer.ok(EntryBody(entry: joined, queue: queue.queue, view: view, tenant: tenant, token: token, passes: room.passes)))
    }
}
