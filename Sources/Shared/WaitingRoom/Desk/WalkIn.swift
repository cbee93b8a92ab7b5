/// Someone who joined by name rather than by a visitor id.
///
/// An entry keeps one text for either. A name is written behind a unit separator (U+001F), which no visitor id may hold.
package struct WalkIn: Sendable, Equatable {
    private static let mark = "\u{1F}"

    package let name: String

    package init(name: String) { self.name = name }

    /// What the entry keeps as its visitor.
    package var visitor: String { Self.mark + name }

    fileprivate static func visitorID(_ visitor: String) -> String { visitor.hasPrefix(mark) ? "" : visitor }

    init?(visitor: String) {
        guard visitor.hasPrefix(Self.mark) else { return nil }
        name = String(visitor.dropFirst(Self.mark.count))
    }
}

extension Entry {
    /// What people call them: their name, or "Guest" and the number of their ticket, never a visitor id.
    package var name: String { WalkIn(visitor: visitor)?.name ?? "Guest \(sequence)" }

    /// The website's own id for them; empty for someone who joined by name.
    package var visitorID: String { WalkIn.visitorID(visitor) }
}

extension Callback {
    /// The website's own id for them; empty for someone who joined by name.
    package var visitorID: String { WalkIn.visitorID(visitor) }
}
