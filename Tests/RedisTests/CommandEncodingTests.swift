import NIOCore
import Testing

@testable import Redis

@Suite struct CommandEncodingTests {
    @Test func writesArraysOfBulkStrings() {
        var buffer = ByteBuffer()
        buffer.write(RedisCommand("SET", "schlüssel", .bytes([0, 13, 10]), 0, -1, .integer(.min), .integer(.max), "", .string("\(10)")))
        buffer.write(RedisCommand("PING"))
        let expected =
            "*9\r\n$3\r\nSET\r\n$10\r\nschlüssel\r\n$3\r\n\0\r\n\r\n$1\r\n0\r\n$2\r\n-1\r\n$20\r\n-9223372036854775808\r\n"
            + "$19\r\n9223372036854775807\r\n$0\r\n\r\n$2\r\n10\r\n*1\r\n$4\r\nPING\r\n"
        #expect(String(buffer: buffer) == expected)
        #expect(Array(buffer.readableBytesView) == Array(expected.utf8))
    }

    @Test(arguments: [1, 9, 10, 99, 100, 1023, 65_536, 1_000_000])
    func writesTextsOfAnyLength(_ count: Int) {
        var buffer = ByteBuffer()
        let text = String(repeating: "x", count: count)
        buffer.write(RedisCommand("ECHO", .string(text)))
        #expect(String(buffer: buffer) == "*2\r\n$4\r\nECHO\r\n$\(count)\r\n\(text)\r\n")
    }

    /// Checked against `sha1sum`.
    @Test func namesScriptsByTheirSHA1() {
        #expect(RedisScript(name: "one", source: "return 1", keyCount: 0).sha1 == "e0e1f9fabfc9d4800c877a703b823ac0578ff8db")
    }
}
