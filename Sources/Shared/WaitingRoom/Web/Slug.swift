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
