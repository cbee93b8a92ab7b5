/// One person's place in a queue and what became of it.
package struct Entry: Sendable, Equatable {
    package enum State: String, Sendable, CaseIterable {
        case waiting = "w"
        case released = "r"
        case expired = "e"
        case cancelled = "c"
    }

    package let queue: Identifier
    package let id: Identifier
    package let sequence: Int64
    package let visitor: String
    package let state: State
    package let joined: Timestamp
    /// When the person was let in, fell silent or left; `nil` while waiting.
    package let finished: Timestamp?
    /// 1 = next; 0 when not waiting.
    package let position: Int
    /// How many wait in the queue.
    package let queueLength: Int
    /// The last sign of life, to the second; `nil` when not waiting.
    package let lastSeen: Timestamp?
    /// What a desk has made of somebody who was let in; `nil` when they are served, or were let in by their queue's rate.
    package let deskState: DeskState?
    /// Who has to do with it: a desk, another entry (`record.lua`).
    let link: String
    /// When the session of somebody who was let in ends: in 1970 when it was ended before its time, `nil` where nobody has looked.
    package let sessionEnds: Timestamp?

    package init(
        queue: Identifier, id: Identifier, sequence: Int64, visitor: String, state: State, joined: Timestamp, finished: Timestamp?,
        position: Int, queueLength: Int, lastSeen: Timestamp?, deskState: DeskState? = nil, link: String = "-",
        sessionEnds: Timestamp? = nil
    ) {
        self.queue = queue
        self.id = id
        self.sequence = sequence
        self.visitor = visitor
        self.state = state
        self.joined = joined
        self.finished = finished
        self.position = position
        self.queueLength = queueLength
        self.lastSeen = lastSeen
        self.deskState = deskState
        self.link = link
        self.sessionEnds = sessionEnds
    }

    /// Whole seconds from joining to being let in; `nil` for anybody else.
    package var waitSeconds: Int? {
        guard state == .released, let finished else { return nil }
        return Int(max(0, finished.milliseconds - joined.milliseconds) / 1000)
    }

    /// The same entry at another place.
    package func with(position: Int) -> Entry {
        Entry(
            queue: queue, id: id, sequence: sequence, visitor: visitor, state: state, joined: joined, finished: finished,
            position: position, queueLength: max(queueLength, position), lastSeen: lastSeen, deskState: deskState, link: link)
    }

    /// The ticket that its holder has.
    package func ticket(epoch: Int32) -> Ticket {
        Ticket(queue: queue, entry: id, sequence: sequence, joined: joined, epoch: epoch, visitor: visitor)
    }
}
