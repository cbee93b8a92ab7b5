import Redis

/// What a Redis server must be for the promises to hold.
struct RedisRequirements {
    /// Scripts declare their flags in their first line, which older servers take for an error.
    private static let oldestMajorVersion = 7

    let durability: ServiceConfiguration.Durability
    /// Whether a replica may take over, with what it has of the data.
    let failsOver: Bool

    /// Why the server cannot be used at all; `nil` when it can, or does not say.
    func refusal(_ info: RedisInfo) -> String? {
        guard let version = info["redis_version"], let major = version.split(separator: ".").first.flatMap({ Int($0) }),
            major < Self.oldestMajorVersion
        else { return nil }
        return "it is version \(version), and \(Self.oldestMajorVersion).0 or newer is needed"
    }

    /// What is wrong with the server and what to do about it, a line each.
    /// - Parameter settings: of CONFIG GET; empty where that is forbidden, and then nothing is said about them.
    func problems(_ info: RedisInfo, settings: [String: String]) -> [String] {
        var problems: [String] = []
        if info["role"] == "slave" { problems.append("it is a replica and takes no changes: have REDIS_URL name the primary") }
        if info.number("maxmemory") > 0, let policy = info["maxmemory_policy"], policy != "noeviction" {
            problems.append("it may throw away people who wait, since maxmemory-policy is \(policy): set it to noeviction")
        }
        if let kept = Self.durability(info, settings), kept < durability {
            problems.append(
                "REDIS_DURABILITY promises \(durability), but it \(kept == .none ? "keeps no append-only file" : "writes \(kept)"): "
                    + "set appendonly yes and appendfsync \(durability), or promise less")
        }
        if failsOver, info.number("connected_slaves") > 0, settings["min-replicas-to-write"] == "0" {
            problems.append("a failover may lose what no replica has yet: set min-replicas-to-write 1 and min-replicas-max-lag 10")
        }
        return problems
    }

    /// `nil` when the server does not say.
    private static func durability(_ info: RedisInfo, _ settings: [String: String]) -> ServiceConfiguration.Durability? {
        guard let isOn = info["aof_enabled"] else { return nil }
        if isOn == "0" { return ServiceConfiguration.Durability.none }
        guard let policy = settings["appendfsync"] else { return nil }
        return ServiceConfiguration.Durability(rawValue: policy == "no" ? "none" : policy)
    }
}
