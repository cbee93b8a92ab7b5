import WaitingRoom

/// The queues that are to be looked after, by the shards in which the workers share them out.
struct QueueShards {
    /// The state of the catalogue's memory that they were read from.
    let version: Int
    private let queues: [UInt8: [ListedQueue]]

    init(version: Int = 0, _ queues: [ListedQueue] = []) {
        self.version = version
        self.queues = Dictionary(grouping: queues.filter(\.isServed)) { QueueLocks.shard(of: $0.id) }
    }

    /// How many queues there are in each shard that has any.
    var sizes: [UInt8: Int] { queues.mapValues(\.count) }

    func queues(in shards: Set<UInt8>) -> [ListedQueue] { shards.flatMap { queues[$0] ?? [] } }
}
