import Foundation
import TestSupport
import Testing

@testable import Redis

@Suite struct ReplyReaderTests {
    /// Every kind of value, nested, with an error inside and one on its own.
    static let wire =
        "+OK\r\n:-42\r\n$5\r\nh\r\nlo\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n*3\r\n:1\r\n*2\r\n$2\r\n\u{e9}\r\n-WRONGTYPE no list\r\n$-1\r\n-OOM no room\r\n"

    static let values: [RedisValue] = [
        .status("OK"), .integer(-42), .bulk(Array("h\r\nlo".utf8)), .bulk([]), .null, .null, .array([]),
        .array([
            .integer(1), .array([.bulk(Array("\u{e9}".utf8)), .error(RedisServerError("WRONGTYPE no list"))]), .null,
        ]),
        .error(RedisServerError("OOM no room")),
    ]

    private func read(_ pieces: [ArraySlice<UInt8>], atMost maximum: Int = 1 << 20) throws -> [RedisValue] {
        let reader = ReplyReader(maximumReplyBytes: maximum)
        var values: [RedisValue] = []
        for piece in pieces { try piece.withUnsafeBytes { bytes in try reader.feed(bytes) { values.append($0) } } }
        return values
    }

    private func read(_ text: String, atMost maximum: Int = 1 << 20) throws -> [RedisValue] {
        try read([Array(text.utf8)[...]], atMost: maximum)
    }

    @Test func readsRepliesSplitAtAnyByte() throws {
        let bytes = Array(Self.wire.utf8)
        for split in 0...bytes.count {
            #expect(try read([bytes[..<split], bytes[split...]]) == Self.values, "split at \(split)")
        }
        #expect(try read(bytes.indices.map { bytes[$0...$0] }) == Self.values)
    }

    @Test func readsErrorsAsCodeAndMessage() throws {
        let error = RedisServerError("WRONGTYPE Operation against a key holding the wrong kind of value")
        #expect(error.code == "WRONGTYPE")
        #expect(error.message == "Operation against a key holding the wrong kind of value")
        #expect(try read("-LONELY\r\n") == [.error(RedisServerError("LONELY"))])
    }

    @Test func readsALargeReplyWhole() throws {
        let text = String(repeating: "0123456789abcdef", count: 1 << 18)
        #expect(try read("$\(text.utf8.count)\r\n\(text)\r\n:7\r\n", atMost: 8 << 20) == [.bulk(Array(text.utf8)), .integer(7)])
    }

    @Test(arguments: ["$536870912\r\nshort", "*2147483647\r\n:1\r\n", "*7\r\n*2147483647\r\n"])
    func setsNothingAsideForAPromise(_ text: String) throws {
        let before = try residentBytes()
        #expect(try read(text) == [])
        #expect(try residentBytes() - before < 64 << 20)
    }

    @Test func refusesAReplyLargerThanAllowed() throws {
        #expect(throws: ReplyReader.Failure.self) { try read("$100000\r\n" + String(repeating: "x", count: 70_000), atMost: 65_536) }
        #expect(throws: ReplyReader.Failure.self) { try read("+" + String(repeating: "x", count: 70_000), atMost: 65_536) }
    }

    /// On the wire they are four bytes each, in memory many times that.
    @Test func countsManySmallValuesByTheirMemory() throws {
        let elements = String(repeating: ":1\r\n", count: 5000)
        #expect(try read("*5000\r\n" + elements, atMost: 1 << 20).count == 1)
        #expect(throws: ReplyReader.Failure.self) { try read("*5001\r\n" + elements, atMost: 65_536) }
    }

    @Test(arguments: ["HTTP/1.1 400 Bad Request\r\n", "?\r\n", ":12x\r\n", "$abc\r\n", "*-7\r\n", "$-9\r\n", "\r\n\r\n"])
    func refusesWhatIsNotRESP(_ text: String) {
        #expect(throws: ReplyReader.Failure.self) { try read(text) }
    }

    @Test func refusesToNestForEver() {
        #expect(throws: ReplyReader.Failure.self) { try read(String(repeating: "*1\r\n", count: 100)) }
    }

    private func residentBytes() throws -> Int {
        let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return try #require(Int(pages[1])) * 4096
    }
}
