import NIOCore
import Testing

@testable import Gateway
@testable import WaitingRoom

@Suite("EntryBody")
struct EntryBodyTests {
    /// What somebody at place 7 is told by a view.
    private func told(drawing: Bool, change: (inout Queue) -> Void) throws -> JSON {
        let id = Identifier.random()
        var queue = try #require(Queue(id: id, fields: ["tenant": id.compact, "slug": "a", "name": "a", "rate": "60", "enabled": "1"]))
        change(&queue)
        let view = try #require(QueueView(id: 1, text: Array("9 9 0 0 0 0 0 0 0 0 0 0 \(drawing ? 1 : 0);1 9 ;".utf8)))
        let entry = Entry(
            queue: id, id: .random(), sequence: 7, visitor: "v", state: .waiting, joined: .now(), finished: nil, position: 7,
            queueLength: 9,
            lastSeen: .now())
        var buffer = ByteBuffer()
        EntryBody(waiting: entry, queue: RememberedQueue(queue), view: view, token: "t").write(into: &buffer)
        return try JSONScanner.scan(Array(buffer.readableBytesView))
    }

    @Test("after an opening a place is told from a view that was made after it")
    func opening() throws {
        let past = Timestamp.now().adding(milliseconds: -300)
        let before = try told(drawing: true) { $0.opensAt = past }
        #expect(before["position"] == 0 && before["queue_length"] == 9 && before["phase"] == "pre_queue")
        #expect(before["opens_at"] == .string(past.rfc3339) && before["eta_seconds"] == 0)
        let after = try told(drawing: false) { $0.opensAt = past }
        #expect(after["position"] == 7 && after["phase"] == nil && after["opens_at"] == nil)
    }

    @Test("so it is when the time of the opening was taken away")
    func takenAway() throws {
        let before = try told(drawing: true) { _ in }
        #expect(before["position"] == 0 && before["queue_length"] == 9 && before["phase"] == nil)
        #expect(try told(drawing: false) { _ in }["position"] == 7)
    }
}
