import WaitingRoom

/// How many of the queues one worker should look after: a fair share, given how many workers are alive.
struct QueueShare: Equatable {
    /// Queues that this worker may try to take, in the order in which to try.
    let wanted: [Identifier]
    /// How many of ``wanted`` it has room for.
    let room: Int
    /// Queues to give back: gone, or more than its share while others are alive.
    let surplus: [Identifier]

    /// - Parameters:
    ///   - active: all queues that have something to be looked after.
    ///   - held: those that this worker has.
    ///   - workers: how many are alive, this one included.
    ///   - seed: spreads the workers over the queues, so that they do not all try the same one first.
    init(active: [Identifier], held: Set<Identifier>, workers: Int, seed: Int) {
        let workers = max(1, workers)
        let share = (active.count + workers - 1) / workers
        let known = Set(active)
        let gone = held.subtracting(known)
        let kept = active.filter(held.contains)
        surplus = gone.sorted() + (workers > 1 ? kept.dropFirst(share) : [])
        room = max(0, share - kept.count)
        let free = active.filter { !held.contains($0) }
        let start = free.isEmpty ? 0 : abs(seed % free.count)
        wanted = Array(free[start...] + free[..<start])
    }
}
