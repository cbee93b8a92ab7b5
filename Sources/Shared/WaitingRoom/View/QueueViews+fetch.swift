package import NIOCore
package import Redis
import ServiceLifecycle
import Synchronization

/// Fetching views.
extension QueueViews: Service {
    private static let refresh = Duration.milliseconds(250)
    /// A queue that nobody has asked about for so long is not refreshed, and one for so long is forgotten.
    private static let interest = TimeAmount.seconds(2)
    private static let memory = TimeAmount.seconds(60)

    /// Fetches the views of the queues that are asked about, until shut down.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.refresh)
                let now = NIODeadline.now()
                for watch in self.watches.withLock({ Array($0.values) }) {
                    let (asked, eventLoop) = watch.state.withLock { ($0.asked, $0.eventLoop) }
                    if now - asked < Self.interest { _ = self.fetch(watch, on: eventLoop) }
                    if now - asked > Self.memory { self.watches.withLock { $0[watch.queue] = nil } }
                }
            }
        }
    }

    /// Fetches the view of a queue, for the first time here or since a while.
    package func fetch(_ queue: Queue, on eventLoop: any EventLoop) -> EventLoopFuture<Void> { fetch(watch(queue), on: eventLoop) }

    /// ``fetch(_:on:)`` for a caller on no event loop.
    package func fetch(_ queue: Queue) async throws(RedisError) {
        let watch = watch(queue)
        let arguments = watch.state.withLock { self.arguments(watch, $0) }
        store(try await queues.redis.evaluate(Scripts.view, keys: watch.viewKeys, arguments: arguments).array ?? [], watch)
    }

    /// Fetches one view; who asks while one is on its way waits for that one.
    func fetch(_ watch: QueueWatch, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        let arguments = watch.state.withLock { state -> [RedisArgument]? in
            defer { state.fetching = (state.fetching ?? []) + [promise] }
            return state.fetching == nil ? self.arguments(watch, state) : nil
        }
        guard let arguments else { return promise.futureResult }
        queues.redis.evaluate(Scripts.view, keys: watch.viewKeys, arguments: arguments, on: eventLoop).whenComplete { result in
            if case .success(let reply) = result { self.store(reply.array ?? [], watch) }
            let waiting = watch.state.withLock { state in
                defer { state.fetching = nil }
                return state.fetching ?? []
            }
            for promise in waiting { promise.completeWith(result.map { _ in () }) }
        }
        return promise.futureResult
    }

    private func arguments(_ watch: QueueWatch, _ state: borrowing QueueWatch.State) -> [RedisArgument] {
        let latest = state.views.last
        return [
            .integer(latest?.view.id ?? 0), .integer(queues.memory.highestSequence(of: watch.queue)),
            .integer(latest.map { $0.until > .now() } ?? false ? 1 : 0),
        ]
    }

    private func store(_ reply: [RedisValue], _ watch: QueueWatch) {
        guard let (view, clock) = watch.state.withLock({ $0.take(reply, at: .now()) }) else { return }
        queues.memory.saw(view, of: watch.queue)
        if view.lostAt > 0 {
            queues.memory.saw(
                through: view.letInThrough, lostFrom: view.lostFrom, lostHighest: view.lostHighest, lostThrough: view.lostThrough,
                since: clock - view.lostAt, of: watch.queue, seconds: queues.rebuildSeconds)
        }
    }
}
