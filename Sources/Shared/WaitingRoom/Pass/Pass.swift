import Synchronization

/// What somebody who was let in shows to the site to prove it: good until their session ends.
package struct Pass: Sendable, Equatable {
    package let tenant: Identifier
    package let queue: Identifier
    package let entry: Identifier
    /// The visitor's id as the site knows it.
    package let visitor: String
    /// When its holder was let in.
    package let issued: Timestamp
    /// When the session ends.
    package let expires: Timestamp

    package init(
        tenant: Identifier, queue: Identifier, entry: Identifier, visitor: String, issued: Timestamp, expires: Timestamp
    ) {
        self.tenant = tenant
        self.queue = queue
        self.entry = entry
        self.visitor = visitor
        self.issued = issued
        self.expires = expires
    }

    /// The pass of an entry; `nil` for one who was not let in, or did not come when a desk called them, and once their session is over.
    package init?(_ entry: Entry, of queue: Queue, at now: Timestamp = .now()) {
        guard entry.state == .released, entry.deskState == nil || entry.deskState == .called, let released = entry.finished else {
            return nil
        }
        self.init(queue, entry: entry.id, visitor: entry.visitorID, released: released, expires: entry.sessionEnds, at: now)
    }

    /// The pass of one whose callback is owed; `nil` once their session is over.
    package init?(_ callback: Callback, of queue: Queue, at now: Timestamp) {
        self.init(queue, entry: callback.entry, visitor: callback.visitorID, released: callback.released, expires: nil, at: now)
    }

    private init?(_ queue: Queue, entry: Identifier, visitor: String, released: Timestamp, expires: Timestamp?, at now: Timestamp) {
        // As `sessions.lua` has it: at the full second before.
        let expires = expires ?? Timestamp(milliseconds: (released.milliseconds / 1000 + Int64(queue.sessionSeconds)) * 1000)
        guard expires > now else { return nil }
        self.init(tenant: queue.tenant, queue: queue.id, entry: entry, visitor: visitor, issued: released, expires: expires)
    }

    /// The same pass with another end of its session.
    package func lasting(until expires: Timestamp) -> Pass {
        Pass(tenant: tenant, queue: queue, entry: entry, visitor: visitor, issued: issued, expires: expires)
    }
}

/// A pass and the text that its holder has.
package final class SignedPass: VerifiedText {
    package let pass: Pass
    package let text: String
    let isInUse = Atomic(true)

    init(_ pass: Pass, text: String) {
        self.pass = pass
        self.text = text
    }
}
