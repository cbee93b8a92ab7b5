/// Unpadded base64url (RFC 4648, section 5), strict: one text for each sequence of bytes.
package enum Base64URL {
    private static let alphabet = [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    package static func encode(_ bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: (bytes.count * 4 + 2) / 3) { buffer in
            alphabet.withUnsafeBufferPointer { alphabet in
                var position = 0
                var index = 0
                while index < bytes.count {
                    let left = bytes.count - index
                    let group =
                        UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
                        | (left > 2 ? UInt32(bytes[index + 2]) : 0)
                    for digit in 0..<min(4, left + 1) {
                        buffer[position] = alphabet[Int(group >> UInt32(18 - 6 * digit) & 63)]
                        position += 1
                    }
                    index += 3
                }
                return position
            }
        }
    }

    /// The bytes that `text` stands for; `nil` when it holds a foreign character, has an impossible length, or sets bits that no
    /// encoder writes (so that two texts never name the same bytes).
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count * 3 / 4)
        var group: UInt32 = 0
        var bits: UInt32 = 0
        for character in text.utf8 {
            let value = values[Int(character)]
            guard value != 0xFF else { return nil }
            group = group << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                result.append(UInt8(truncatingIfNeeded: group >> bits))
            }
        }
        guard bits < 6, group & (1 << bits - 1) == 0 else { return nil }
        return result
    }
}
