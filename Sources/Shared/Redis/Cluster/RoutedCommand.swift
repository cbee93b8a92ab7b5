import NIOCore
import Synchronization

/// A command on its way through a cluster, kept until its reply: a server that does not have the key's slot says so and runs nothing, and
/// the command goes on to another.
final class RoutedCommand: Sendable {
    let command: RedisCommand
    /// The same with the script's text, where the command is a script's SHA-1.
    var bySource: RedisCommand? { script?.bySource }
    /// `nil` when any server will do.
    let slot: Int?
    private let waiter: RedisWaiter
    /// Among those that ``waiter`` awaits together; they are settled in any order.
    private let index: Int?
    /// The caller's.
    let eventLoop: (any EventLoop)?
    /// After this it is not sent any more.
    let deadline: NIODeadline
    private let script: RedisScriptCall?
    private let cluster: RedisCluster
    private let hops = Atomic(0)

    init(
        _ command: RedisCommand, script: RedisScriptCall? = nil, slot: Int?, waiter: RedisWaiter, index: Int? = nil,
        on eventLoop: (any EventLoop)?,
        deadline: NIODeadline, cluster: RedisCluster
    ) {
        self.command = command
        self.script = script
        self.slot = slot
        self.waiter = waiter
        self.index = index
        self.eventLoop = eventLoop
        self.deadline = deadline
        self.cluster = cluster
    }

    /// How often it was sent on so far.
    func countHop() -> Int { hops.wrappingAdd(1, ordering: .relaxed).oldValue }

    func settle(_ result: Result<RedisValue, RedisError>) {
        switch (result, waiter) {
        case (_, .part(let replies)): replies.add(result, at: index)
        case (.success(let value), _): waiter.succeed(value)
        case (.failure(let error), _): waiter.fail(error)
        }
    }

    /// - Returns: whether the command goes on elsewhere, so that `error` is not its end.
    func goesOn(after error: RedisServerError, of server: RedisConfiguration.Endpoint?) -> Bool {
        guard let server else { return false }
        return cluster.sendOn(self, after: error, of: server)
    }
}

extension RedisCommand {
    /// The slot of its key, which is the first argument of every command that has one; `nil` for those that have none.
    var slot: Int? {
        guard let first = arguments.first, !Self.withoutKey.contains(name) else { return nil }
        return KeySlot.of(first)
    }

    private static let withoutKey: Set = [
        "PING", "ECHO", "TIME", "INFO", "ROLE", "CONFIG", "CLUSTER", "WAIT", "CLIENT", "FLUSHALL", "SCRIPT",
    ]
}
