extension Entry {
    /// What a desk has made of somebody whom it let in.
    package enum DeskState: String, Sendable {
        case called = "k"
        case noShow = "n"
        case transferred = "t"
    }

    /// The desk that called or served them; `nil` when it has no name, or none did.
    package var desk: String? {
        link.hasPrefix("@") ? String(link.dropFirst()).replacing("\u{1F}", with: " ") : nil
    }

    /// The entry of another queue that somebody transferred has now.
    package var transferredTo: (queue: Identifier, entry: Identifier)? {
        link.hasPrefix(">") ? Self.place(link.dropFirst()) : nil
    }

    static func place(_ text: some StringProtocol) -> (queue: Identifier, entry: Identifier)? {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let queue = Identifier(compact: String(parts[0])), let entry = Identifier(compact: String(parts[1])) else {
            return nil
        }
        return (queue, entry)
    }
}
