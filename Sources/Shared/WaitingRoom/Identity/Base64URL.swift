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
        text.utf8.withContiguousStorageIfAvailable(decode) ?? Array(text.utf8).withUnsafeBufferPointer(decode)
    }

    private static func decode(_ characters: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        var isClean = true
        let bytes = [UInt8](unsafeUninitializedCapacity: characters.count) { buffer, count in
            if let written = decode(characters, into: buffer) { count = written } else { isClean = false }
        }
        return isClean ? bytes : nil
    }

    /// ``decode(_:)`` into memory that has room for as many bytes as there are characters.
    /// - Returns: how many bytes they stand for.
    static func decode(_ characters: UnsafeBufferPointer<UInt8>, into buffer: UnsafeMutableBufferPointer<UInt8>) -> Int? {
        var count = 0
        var group: UInt32 = 0
        var bits: UInt32 = 0
        return values.withUnsafeBufferPointer { values in
            for character in characters {
                let value = values[Int(character)]
                if value == 0xFF { return nil }
                group = group << 6 | UInt32(value)
                bits += 6
                if bits >= 8 {
                    bits -= 8
                    buffer[count] = UInt8(truncatingIfNeeded: group >> bits)
                    count += 1
                }
            }
            return bits >= 6 || group & (1 << bits - 1) != 0 ? nil : count
        }
    }
}
