/// Names in addresses: 1 to 64 of `A-Z a-z 0-9 . _ -`, not `queues` (a path of its own), not `.` or `..`.
package enum Slug {
    package static func isValid(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && !["queues", ".", ".."].contains(text)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}

/// Names and visitor ids are any Unicode except control characters and those that reverse the reading direction of what follows.
package enum VisibleText {
    package static func isPlain(_ text: String) -> Bool {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return true }
        return text.unicodeScalars.allSatisfy { scalar in
            switch scalar.value {
            case 0..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069, 0x2028, 0x2029: false
            default: true
            }
        }
    }
}
