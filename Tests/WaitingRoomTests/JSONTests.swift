import Testing

@testable import WaitingRoom

@Suite("Strict JSON")
struct JSONTests {
    private func scan(_ text: String) throws -> JSON { try JSONScanner.scan(Array(text.utf8)) }

    @Test("reads what RFC 8259 allows")
    func reads() throws {
        #expect(
            try scan(" {\"a\": [1, -2.5e3, true, null, \"x\\u00e9\\ud83d\\ude00\\n\"]} ")
                == ["a": [1, .number(-2500), true, nil, "xé😀\n"]])
        #expect(try scan("9223372036854775807") == .integer(Int64.max))
        #expect(try scan("9223372036854775808") == .number(9_223_372_036_854_775_808))
        #expect(try scan("\"\"") == "")
    }

    @Test(
        "refuses all else",
        arguments: [
            "", " ", "{", "}", "[1,]", "{\"a\":1,}", "{\"a\":1 \"b\":2}", "{\"a\":1,\"a\":2}", "{a:1}", "'a'", "01", "1.", ".5", "+1", "-",
            "1e", "NaN",
            "Infinity", "1e999", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\\u0000\"", "\"a\nb\"",
            "\"\t\"",
            "\"a", "tru", "nul", "[1] x", "{\"a\"}", "\u{FEFF}{}", "// x\n1", "[1 2]", "{\"e\u{301}\":1,\"e\u{301}\":2}",
        ])
    func refuses(text: String) { #expect(throws: JSONError.self) { try scan(text) } }

    @Test("keys that only look alike are different keys")
    func canonicalEquivalence() throws {
        let value = try scan("{\"\u{E9}\":1,\"e\u{301}\":2}")
        #expect(value["\u{E9}"] == 1)
        #expect(value["e\u{301}"] == 2)
    }

    @Test("refuses what is not UTF-8")
    func invalidUTF8() {
        for bytes: [UInt8] in [
            [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0xFF, 0xFE, 0x22, 0, 0x22, 0], [0x22, 0xED, 0xA0, 0x80, 0x22],
        ] {
            #expect(throws: JSONError.self) { try JSONScanner.scan(bytes) }
        }
    }

    @Test("reads 32 levels and no more")
    func depth() throws {
        let deep = String(repeating: "[", count: 32) + String(repeating: "]", count: 32)
        _ = try scan(deep)
        #expect(throws: JSONError.self) { try scan("[" + deep + "]") }
        #expect(throws: JSONError.self) { try scan(String(repeating: "[", count: 60_000)) }
    }

    @Test("writes keys in their order and every text so that it comes back")
    func writes() throws {
        let value: JSON = ["z": 1, "a": .number(0.5), "m": ["\"\\\n\r\t\u{1}\u{7F}é😀</script>"], "n": nil, "b": false, "w": .number(3)]
        #expect(value.text == "{\"z\":1,\"a\":0.5,\"m\":[\"\\\"\\\\\\n\\r\\t\\u0001\u{7F}é😀</script>\"],\"n\":null,\"b\":false,\"w\":3}")
        #expect(try scan(value.text)["m"] == value["m"])
    }
}
