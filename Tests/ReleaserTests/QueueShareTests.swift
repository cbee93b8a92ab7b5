import Testing
import WaitingRoom

@testable import Releaser

@Suite("QueueShare")
struct QueueShareTests {
    private let queues = (0..<7).map { _ in Identifier.random() }

    private func share(held: Set<Identifier>, workers: Int) -> QueueShare {
        QueueShare(active: queues, held: held, workers: workers, seed: 0)
    }

    @Test("one worker alone has room for all and gives nothing back")
    func alone() {
        let none = share(held: [], workers: 1)
        #expect(none.room == 7)
        #expect(Set(none.wanted) == Set(queues))
        let all = share(held: Set(queues), workers: 1)
        #expect(all.room == 0)
        #expect(all.surplus.isEmpty)
    }

    @Test("a share is rounded up, and what is above it goes back while others live")
    func surplus() {
        #expect(share(held: [], workers: 3).room == 3)
        let much = share(held: Set(queues.prefix(5)), workers: 3)
        #expect(much.surplus == Array(queues[3..<5]))
        #expect(much.room == 0)
    }

    @Test("queues that are gone go back, by a worker alone too")
    func gone() {
        let deleted = Identifier.random()
        #expect(share(held: [deleted], workers: 1).surplus == [deleted])
    }

    @Test("no queues, no workers counted: nothing to do")
    func nothing() {
        #expect(QueueShare(active: [], held: [], workers: 0, seed: 5) == QueueShare(active: [], held: [], workers: 1, seed: 0))
    }

    @Test("every worker's decision by itself leads to each queue having one worker", arguments: [1, 2, 3, 5, 8, 20], [Int.min, -3, 0, 11])
    func settles(workers: Int, seed: Int) {
        var owner: [Identifier: Int] = [:]
        for _ in 0..<3 {
            for worker in 0..<workers {
                let held = Set(owner.filter { $0.value == worker }.keys)
                let share = QueueShare(active: queues, held: held, workers: workers, seed: seed &+ worker)
                for queue in share.surplus { owner[queue] = nil }
                for queue in share.wanted.filter({ owner[$0] == nil }).prefix(share.room) { owner[queue] = worker }
            }
        }
        #expect(owner.count == queues.count)
        let most = Dictionary(grouping: owner.values) { $0 }.values.map(\.count).max() ?? 0
        #expect(most <= (queues.count + workers - 1) / workers)
    }
}
