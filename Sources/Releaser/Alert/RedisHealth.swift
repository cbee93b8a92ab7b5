import Redis
import WaitingRoom

/// How Redis does, by what it says of itself (Redis manual, INFO).
struct RedisHealth: Equatable {
    /// What is wrong and what to do about it, a sentence or two each.
    let problems: [String]
    /// Something is close to being wrong: neither the beginning nor the end of an incident.
    let isClose: Bool

    /// - Parameters:
    ///   - info: the answer to INFO.
    ///   - isSlow: whether it has been slow to answer for a while.
    init(info: String, isSlow: Bool) {
        let facts = RedisInfo(info)
        var problems: [String] = []
        let (used, maximum) = (facts.number("used_memory"), facts.number("maxmemory"))
        let percent = maximum == 0 ? 0 : used * 100 / maximum
        if percent >= 90 {
            problems.append(
                "Redis's memory is \(percent) % full; when it is full, nobody can join. Raise maxmemory, or let people in faster.")
        }
        if facts["aof_enabled"] == "1", facts["aof_last_write_status"] != "ok" {
            problems.append("Redis could not write its append-only file, so a crash may lose places. See to its disk.")
        }
        if facts["aof_last_bgrewrite_status"] == "err" || facts["rdb_last_bgsave_status"] == "err" {
            problems.append("Redis could not save its data in the background. See to its disk and memory; its log says why.")
        }
        if facts["role"] == "slave", facts["slave_read_only"] == "1" {
            problems.append("Redis is a read-only replica. Make it the primary, or have REDIS_URL name the primary.")
        }
        if isSlow { problems.append("Redis has been slow to answer for a while. See to its machine; SLOWLOG GET tells of slow commands.") }
        self.problems = problems
        isClose = problems.isEmpty && percent >= 85
    }

    /// Of several servers: each problem says whose it is.
    /// - Parameter servers: addresses and answers to INFO.
    init(servers: [(server: String, info: String)], isSlow: Bool) {
        let healths = servers.map { RedisHealth(info: $0.info, isSlow: isSlow) }
        problems = zip(servers, healths).flatMap { server, health in
            health.problems.map { servers.count == 1 ? $0 : "\(server.server): \($0)" }
        }
        isClose = problems.isEmpty && healths.contains(where: \.isClose)
    }

    var level: Incidents.Level { !problems.isEmpty ? .bad : isClose ? .calm : .good }
}
