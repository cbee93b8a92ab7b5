import Synchronization

/// What a visitor holds to prove their place: the `token` of the QMS dialect. It says all that a poll needs, so that a forged one never
/// reaches Redis and the order can be rebuilt from the visitors' own tickets.
package struct Ticket: Sendable, Equatable {
    package let queue: Identifier
    package let entry: Identifier
    /// The place in the queue's order; smaller joined earlier.
    package let sequence: Int64
    package let joined: Timestamp
    /// Which life of the queue it belongs to (``Queue/epoch``): in another it is not good.
    package let epoch: Int32
    package let visitor: String

    package init(queue: Identifier, entry: Identifier, sequence: Int64, joined: Timestamp, epoch: Int32, visitor: String) {
        self.queue = queue
        self.entry = entry
        self.sequence = sequence
        self.joined = joined
        self.epoch = epoch
        self.visitor = visitor
    }
}

/// A ticket and the text that its holder has.
package final class SignedTicket: VerifiedText {
    package let ticket: Ticket
    package let text: String
    let isInUse = Atomic(true)

    init(_ ticket: Ticket, text: String) {
        self.ticket = ticket
        self.text = text
    }
}
