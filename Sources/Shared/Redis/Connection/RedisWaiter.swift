import NIOCore
import Synchronization

/// Who waits for a reply.
enum RedisWaiter: Sendable {
    case promise(EventLoopPromise<RedisValue>)
    case continuation(CheckedContinuation<Result<RedisValue, RedisError>, Never>)
    /// One of several that are awaited together.
    case part(RedisReplies)
    case script(RedisScriptCall)
    case routed(RoutedCommand)
    case nobody

    func succeed(_ value: RedisValue) {
        switch self {
        case .promise(let promise): promise.succeed(value)
        case .continuation(let continuation): continuation.resume(returning: .success(value))
        case .part(let replies): replies.add(.success(value))
        case .script(let call): call.waiter.succeed(value)
        case .routed(let call): call.settle(.success(value))
        case .nobody: break
        }
    }

    func fail(_ error: RedisError) {
        switch self {
        case .promise(let promise): promise.fail(error)
        case .continuation(let continuation): continuation.resume(returning: .failure(error))
        case .part(let replies): replies.add(.failure(error))
        case .script(let call): call.waiter.fail(error)
        case .routed(let call): call.settle(.failure(error))
        case .nobody: break
        }
    }
}

/// Gathers what became of commands that were sent together.
final class RedisReplies: Sendable {
    private struct State {
        var results: [Result<RedisValue, RedisError>]
        var left: Int
    }

    private let state: Mutex<State>
    private let continuation: CheckedContinuation<[Result<RedisValue, RedisError>], Never>

    init(count: Int, continuation: CheckedContinuation<[Result<RedisValue, RedisError>], Never>) {
        state = Mutex(State(results: Array(repeating: .success(.null), count: count), left: count))
        self.continuation = continuation
    }

    /// - Parameter index: of the command among those sent; by default they are settled in their order, as one connection does it.
    func add(_ result: Result<RedisValue, RedisError>, at index: Int? = nil) {
        let all = state.withLock { state in
            state.results[index ?? state.results.count - state.left] = result
            state.left -= 1
            return state.left == 0 ? state.results : nil
        }
        if let all { continuation.resume(returning: all) }
    }
}

/// A command on its way: what its reply is for.
struct RedisPending: Sendable {
    let command: String
    let waiter: RedisWaiter
    var deadline: NIODeadline
}
