/// Someone who joined by name rather than by a visitor id.
///
/// An entry keeps one text for either. A name, and the service type asked for, are written behind unit separators (U+001F), which no
/// visitor id may hold (`walk_in.lua`).
package struct WalkIn: Sendable, Equatable {
    private static let mark = "\u{1F}"

    package let name: String
    /// What they come for, as it was called when they asked for it.
    package let serviceType: ServiceType?

    package init(name: String, serviceType: ServiceType? = nil) {
        self.name = name
        self.serviceType = serviceType
    }

    /// What the entry keeps as its visitor.
    package var visitor: String { Self.mark + name + Self.tail(serviceType) }

    /// What is written behind the name.
    static func tail(_ type: ServiceType?) -> String {
        type.map { mark + [$0.id.compact, $0.code, $0.name].joined(separator: mark) } ?? ""
    }

    init?(visitor: String) {
        let parts = visitor.split(separator: "\u{1F}", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1, parts[0].isEmpty else { return nil }
        name = parts[1]
        serviceType =
            parts.count < 5 ? nil : Identifier(compact: parts[2]).map { ServiceType(id: $0, code: parts[3], name: parts[4]) }
    }

    fileprivate static func visitorID(_ visitor: String) -> String { visitor.hasPrefix(mark) ? "" : visitor }
}

extension Entry {
    /// What people call them: their name, or "Guest" and the number of their ticket, never a visitor id.
    package var name: String { WalkIn(visitor: visitor)?.name ?? guestName }

    /// The name as `queue` lets anybody see it.
    package func name(in queue: Queue) -> String {
        switch queue.names {
        case .full: name
        case .initials: WalkIn(visitor: visitor).map { Self.initials($0.name) } ?? guestName
        case .hidden: guestName
        }
    }

    private var guestName: String { "Guest \(sequence)" }

    /// "Alex van Rivera" is "A. v. R."
    private static func initials(_ name: String) -> String {
        name.split(whereSeparator: \.isWhitespace).compactMap(\.first).map { "\($0)." }.joined(separator: " ")
    }

    package var serviceType: ServiceType? { WalkIn(visitor: visitor)?.serviceType }

    /// The website's own id for them; empty for someone who joined by name.
    package var visitorID: String { WalkIn.visitorID(visitor) }
}

extension Callback {
    /// The website's own id for them; empty for someone who joined by name.
    package var visitorID: String { WalkIn.visitorID(visitor) }
}
