/// The slots into which a cluster divides the keys (Redis Cluster specification, "Key distribution model").
enum KeySlot {
    static let count = 16_384

    /// CRC16 (XMODEM) of the key, or of what is between its first `{` and the next `}` if that is anything.
    static func of(_ key: String) -> Int {
        var key = key
        return key.withUTF8 { of($0) }
    }

    static func of(_ key: RedisArgument) -> Int {
        switch key {
        case .string(let text): of(text)
        case .integer(let value): of("\(value)")
        case .bytes(let bytes): bytes.withUnsafeBufferPointer { of($0) }
        }
    }

    private static func of(_ key: UnsafeBufferPointer<UInt8>) -> Int {
        var hashed = key[...]
        if let open = key.firstIndex(of: UInt8(ascii: "{")), let close = key[(open + 1)...].firstIndex(of: UInt8(ascii: "}")),
            close > open + 1
        {
            hashed = key[(open + 1)..<close]
        }
        var crc: UInt16 = 0
        for byte in hashed { crc = crc << 8 ^ table[Int(UInt8(crc >> 8) ^ byte)] }
        return Int(crc) % count
    }

    private static let table: [UInt16] = (0..<256).map { index in
        (0..<8).reduce(UInt16(index) << 8) { crc, _ in crc & 0x8000 == 0 ? crc << 1 : crc << 1 ^ 0x1021 }
    }
}
