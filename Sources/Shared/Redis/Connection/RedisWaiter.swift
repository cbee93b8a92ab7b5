import NIOCore
import Synchronization

/// Who waits for a reply.
enum RedisWaiter: Sendable {
    case promise(EventLoopPromise<RedisValue>)
    case continuation(CheckedContinuation<Result<RedisValue, RedisError>, Never>)
    /// One of several that are awaited together.
    case part(RedisReplies)
    case script(RedisScriptCall)

    func succeed(_ value: RedisValue) {
        switch self {
        case .promise(let promise): promise.succeed(value)
        case .continuation(let continuation): continuation.resume(returning: .success(value))
        case .part(let replies): replies.add(.success(value))
        case .script(let call): call.waiter.succeed(value)
        }
    }

    func fail(_ error: RedisError) {
        switch self {
        case .promise(let promise): promise.fail(error)
        case .continuation(let continuation): continuation.resume(returning: .failure(error))
        case .part(let replies): replies.add(.failure(error))
        case .script(let call): call.waiter.fail(error)
        }
    }
}

/// Gathers what became of commands that were sent together. A connection settles them in their order, whether they succeed or fail.
final class RedisReplies: Sendable {
    private let results = Mutex<[Result<RedisValue, RedisError>]>([])
    private let count: Int
    private let continuation: CheckedContinuation<[Result<RedisValue, RedisError>], Never>

    init(count: Int, continuation: CheckedContinuation<[Result<RedisValue, RedisError>], Never>) {
        self.count = count
        self.continuation = continuation
    }

    func add(_ result: Result<RedisValue, RedisError>) {
        let all = results.withLock { results in
            results.append(result)
            return results.count == count ? results : nil
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
