/// What `Benchmarks/crowd` asks for; its `--help` explains each.
struct Settings: Codable, Sendable {
    let servers: [String]
    let apiKey: String
    let queue: String
    let visitors: Int
    let seconds: Double
    let arriveSeconds: Double
    /// Of those who join, the share that leaves, and the share that only stops to poll, each at a time drawn by chance.
    let leave: Double
    let silent: Double
    /// Whether somebody new comes for everybody who has gone.
    let replace: Bool
    let connections: Int
    let seed: UInt64
}
