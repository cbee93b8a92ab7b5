import Crypto

/// A Lua script, run by the SHA-1 of its text and sent whole only when the server does not know it.
package struct RedisScript: Sendable {
    package let name: String
    package let source: String
    package let sha1: String
    package let keyCount: Int

    package init(name: String, source: String, keyCount: Int) {
        self.name = name
        self.source = source
        self.keyCount = keyCount
        sha1 = Insecure.SHA1.hash(data: Array(source.utf8)).map { byte in
            let text = String(byte, radix: 16)
            return byte < 16 ? "0" + text : text
        }.joined()
    }
}

/// One call of a script, kept until its reply because it may have to be sent a second time, whole.
final class RedisScriptCall: Sendable {
    let bySHA1: RedisCommand
    let waiter: RedisWaiter
    private let source: String

    init(_ script: RedisScript, keys: [String], arguments: [RedisArgument], waiter: RedisWaiter) {
        precondition(keys.count == script.keyCount, "\(script.name) takes \(script.keyCount) keys")
        // On a Cluster it could run nowhere. Checked wherever it is tested.
        assert(Set(keys.map { KeySlot.of($0) }).count < 2, "\(script.name) has keys of several slots")
        var all: [RedisArgument] = []
        all.reserveCapacity(2 + keys.count + arguments.count)
        all.append(.string(script.sha1))
        all.append(.integer(Int64(keys.count)))
        for key in keys { all.append(.string(key)) }
        all.append(contentsOf: arguments)
        bySHA1 = RedisCommand("EVALSHA", arguments: all)
        source = script.source
        self.waiter = waiter
    }

    var bySource: RedisCommand {
        var all = bySHA1.arguments
        all[0] = .string(source)
        return RedisCommand("EVAL", arguments: all)
    }
}
