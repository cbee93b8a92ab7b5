package import Redis

extension Queues {
    /// Lets those arrive whom `queue` has handed over to other queues (`arrive-9.lua`, `settle_transfer-1.lua`): the desk's own request
    /// does it at once, and a worker does it for one that died in between. Repeating it changes nothing.
    package func completeTransfers(from queue: Identifier) async throws(RedisError) {
        let keys = QueueKeys(queue)
        for (id, value) in try await catalogue.fields(of: keys.transfers) ?? [:] {
            let parts = value.split(separator: " ", maxSplits: 2).map(String.init)
            guard parts.count == 3, let place = Entry.place(parts[0]) else { continue }
            let target = QueueKeys(place.queue)
            _ = try await redis.evaluate(
                Scripts.arrive,
                keys: [
                    target.waiting, target.entries, target.ready, target.counters, target.days, target.typed, target.events,
                    target.transfers, target.visitors,
                ],
                arguments: [.string(place.entry.compact), .string(parts[2]), .string("\(queue.compact):\(id)"), .string(parts[1])])
            _ = try await redis.evaluate(Scripts.settleTransfer, keys: [keys.transfers], arguments: [.string(id), .string(value)])
        }
    }

    /// Where somebody stands, in the queue to which they were transferred if they were.
    package func currentStatus(of id: Identifier, in queue: Identifier) async throws(RedisError) -> Entry? {
        var place = (queue: queue, entry: id)
        var entry: Entry?
        // A chain is as long as people are sent on; its end is what counts.
        for _ in 0..<16 {
            guard let next = try await status(of: place.entry, in: place.queue) else { return entry }
            entry = next
            guard next.deskState == .transferred, let onward = next.transferredTo else { return next }
            place = onward
        }
        return entry
    }
}
