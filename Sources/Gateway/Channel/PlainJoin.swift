import WaitingRoom

/// The body of a join as nearly all clients write it: an object of `queue_id` and `visitor_id`, both texts of visible ASCII without
/// escapes. Any other is for ``JoinBody`` to read.
struct PlainJoin {
    let queue: Identifier
    let visitor: String

    private static let visitorLength = 1...64

    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        var position = 0
        var queue: Identifier?
        var visitor: String?

        func skip(_ character: UInt8) -> Bool {
            while position < bytes.count, Self.isBlank(bytes[position]) { position += 1 }
            guard position < bytes.count, bytes[position] == character else { return false }
            position += 1
            return true
        }
        func text() -> UnsafeBufferPointer<UInt8>? {
            guard skip(UInt8(ascii: "\"")) else { return nil }
            let start = position
            while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
                guard bytes[position] &- 0x20 < 0x5F, bytes[position] != UInt8(ascii: "\\") else { return nil }
                position += 1
            }
            defer { position += 1 }
            return position < bytes.count ? UnsafeBufferPointer(rebasing: bytes[start..<position]) : nil
        }

        guard skip(UInt8(ascii: "{")) else { return nil }
        for index in 0..<2 {
            guard index == 0 || skip(UInt8(ascii: ",")), let name = text(), skip(UInt8(ascii: ":")), let value = text() else { return nil }
            if queue == nil, Self.isName(name, "queue_id") {
                queue = Identifier(uuid: value)
            } else if visitor == nil, Self.isName(name, "visitor_id"), Self.visitorLength.contains(value.count) {
                visitor = String(decoding: value, as: UTF8.self)
            } else {
                return nil
            }
        }
        guard skip(UInt8(ascii: "}")), let queue, let visitor else { return nil }
        while position < bytes.count, Self.isBlank(bytes[position]) { position += 1 }
        guard position == bytes.count else { return nil }
        self.queue = queue
        self.visitor = visitor
    }

    private static func isName(_ text: UnsafeBufferPointer<UInt8>, _ name: StaticString) -> Bool {
        text.count == name.utf8CodeUnitCount && text.indices.allSatisfy { text[$0] == name.utf8Start[$0] }
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n")
    }
}
