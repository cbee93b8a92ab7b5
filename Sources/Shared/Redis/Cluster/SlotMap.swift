/// Which server has which slots.
struct SlotMap: Equatable {
    private static let nobody = UInt16.max

    /// The servers that have slots, and those that had.
    private(set) var servers: [RedisConfiguration.Endpoint] = []
    private var owners = [UInt16](repeating: nobody, count: KeySlot.count)

    /// Reads the answer to CLUSTER SLOTS: `[[first slot, last slot, [host, port, …], replicas…], …]`.
    /// - Parameter server: who has answered; it may not know its own host.
    /// - Returns: `nil` when the answer is another, or holds no slot.
    init?(_ reply: RedisValue, of server: RedisConfiguration.Endpoint) {
        for range in reply.array ?? [] {
            guard let parts = range.array, parts.count >= 3, let first = parts[0].integer, let last = parts[1].integer,
                let primary = parts[2].array, primary.count >= 2, let port = primary[1].integer,
                first >= 0, first <= last, last < KeySlot.count
            else { return nil }
            let host = primary[0].string.flatMap { $0.isEmpty || $0 == "?" ? nil : $0 }
            let owner = index(of: Self.endpoint(host: host, port: Int(port), saidBy: server))
            for slot in Int(first)...Int(last) { owners[slot] = owner }
        }
        if servers.isEmpty { return nil }
    }

    func owner(of slot: Int) -> RedisConfiguration.Endpoint? {
        let owner = owners[slot]
        return owner == Self.nobody ? nil : servers[Int(owner)]
    }

    mutating func move(_ slot: Int, to server: RedisConfiguration.Endpoint) { owners[slot] = index(of: server) }

    private mutating func index(of server: RedisConfiguration.Endpoint) -> UInt16 {
        if let index = servers.firstIndex(of: server) { return UInt16(index) }
        servers.append(server)
        return UInt16(servers.count - 1)
    }

    static func endpoint(host: String?, port: Int, saidBy server: RedisConfiguration.Endpoint) -> RedisConfiguration.Endpoint {
        if let host { return .tcp(host: host, port: port) }
        guard case .tcp(let host, _) = server else { return server }
        return .tcp(host: host, port: port)
    }
}
