/// The name of a request: in its answer, and in every line of the log about it.
enum RequestID {
    static let length = 16

    /// 16 hexadecimal digits, different each time.
    static func next() -> String {
        String(unsafeUninitializedCapacity: length) { buffer in
            write(to: UnsafeMutableRawBufferPointer(buffer))
            return length
        }
    }

    /// Writes the digits into the first ``length`` bytes of `buffer`.
    static func write(to buffer: UnsafeMutableRawBufferPointer) {
        var number = Jitter().next()
        for index in 0..<length {
            let digit = UInt8(truncatingIfNeeded: number & 0xF)
            buffer[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            number >>= 4
        }
    }
}
