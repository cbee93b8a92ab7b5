import NIOCore

/// What a new connection says before all else: who it is, which database it wants, and a question whether the server is ready. A server
/// that still loads its data accepts AUTH and SELECT, but answers PING with an error. Whom sentinels name must agree that it is the
/// primary.
struct RedisGreeting {
    enum Progress: Equatable {
        case more, accepted
        case refused(String)
    }

    let bytes: ByteBuffer
    /// The names of the commands without a reply.
    private var owed: CircularBuffer<String>

    init(_ configuration: RedisConfiguration, of target: RedisTarget) {
        var commands: [RedisCommand] = []
        if let password = configuration.password {
            commands.append(RedisCommand("AUTH", arguments: (configuration.user.map { [.string($0)] } ?? []) + [.string(password)]))
        }
        if configuration.database != 0 { commands.append(RedisCommand("SELECT", .integer(Int64(configuration.database)))) }
        commands.append(RedisCommand("PING"))
        if case .primary = target { commands.append(RedisCommand("ROLE")) }
        var bytes = ByteBuffer()
        for command in commands { bytes.write(command) }
        self.bytes = bytes
        owed = CircularBuffer(commands.map(\.name))
    }

    mutating func receive(_ reply: RedisValue) -> Progress {
        let command = owed.removeFirst()
        if case .error(let error) = reply { return .refused("\(RedisError(.server(error), command: command))") }
        if command == "ROLE", reply.array?.first?.string != "master" { return .refused("the server is not the primary") }
        return owed.isEmpty ? .accepted : .more
    }
}
