import NIOCore
import Synchronization

/// Newcomers of one turn of an event loop, who go to Redis together, in one call for each queue (`join-6.lua`).
final class JoinBatches: Sendable {
    struct Newcomer: Sendable {
        let id: Identifier
        /// Whether the id follows from what proves who asks, so that it may be known already.
        let mayBeKnown: Bool
        let visitor: String
        let joined: EventLoopPromise<Queues.Joined?>
    }

    private struct Place: Hashable {
        let queue: Identifier
        let eventLoop: ObjectIdentifier
    }

    private let newcomers = Mutex<[Place: [Newcomer]]>([:])

    /// - Returns: whether this is the first of the turn: the caller sees to it that they are taken at its end.
    func add(_ newcomer: Newcomer, to queue: Identifier, on eventLoop: any EventLoop) -> Bool {
        newcomers.withLock { newcomers in
            newcomers[Place(queue: queue, eventLoop: ObjectIdentifier(eventLoop)), default: []].append(newcomer)
            return newcomers[Place(queue: queue, eventLoop: ObjectIdentifier(eventLoop))]?.count == 1
        }
    }

    func take(from queue: Identifier, on eventLoop: any EventLoop) -> [Newcomer] {
        newcomers.withLock { $0.removeValue(forKey: Place(queue: queue, eventLoop: ObjectIdentifier(eventLoop))) ?? [] }
    }
}
