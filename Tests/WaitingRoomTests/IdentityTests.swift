import Testing

@testable import WaitingRoom

@Suite("Identifiers, times and addresses")
struct IdentityTests {
    @Test("an identifier reads back from both of its forms")
    func identifiers() {
        for _ in 0..<100 {
            let id = Identifier.random()
            #expect(Identifier(uuid: id.description) == id)
            #expect(Identifier(uuid: id.description.uppercased()) == id)
            #expect(Identifier(compact: id.compact) == id)
            #expect(Identifier(bytes: id.bytes) == id)
            #expect(id.compact.utf8.count == 22)
            #expect(Array(id.description)[14] == "4")
        }
    }

    @Test(
        "anything else is no identifier",
        arguments: [
            "", "x", "00000000-0000-0000-0000-00000000000g", "00000000_0000-0000-0000-000000000000", "０0000000-0000-0000-0000-000000000000",
        ])
    func notIdentifiers(text: String) {
        #expect(Identifier(uuid: text) == nil)
        #expect(Identifier(compact: text) == nil)
    }

    @Test("times are written in both forms")
    func times() {
        let time = Timestamp(milliseconds: 1_795_226_716_133)
        #expect(time.zoneless == "2026-11-21T02:05:16.133000")
        #expect(time.rfc3339 == "2026-11-21T02:05:16.133Z")
        #expect(time.date == "2026-11-21")
        #expect(Timestamp(milliseconds: 951_782_400_000).date == "2000-02-29")
        #expect(Timestamp(milliseconds: 0).zoneless == "1970-01-01T00:00:00.000000")
        #expect(Timestamp(day: time.day).date == time.date)
    }

    @Test("times are read as RFC 3339 writes them, without a zone in UTC; whatever is none is not")
    func readTimes() {
        let time = Timestamp(milliseconds: 1_795_226_716_133)
        for text in [time.rfc3339, time.zoneless, time.withOffset] { #expect(Timestamp(text) == time, "\(text)") }
        let ten = Timestamp(milliseconds: 1_795_255_200_000)
        for text in ["2026-11-21T10:00", "2026-11-21 10:00:00z", "2026-11-21T12:30+02:30", "2026-11-20T23:00:00.0-11:00"] {
            #expect(Timestamp(text) == ten, "\(text)")
        }
        #expect(Timestamp("2000-02-29T00:00Z")?.date == "2000-02-29")
        for text in [
            "", "tomorrow", "2026-11-21", "2026-02-29T00:00Z", "2026-13-01T00:00Z", "2026-11-21T24:00Z", "2026-11-21T10:00:60Z",
            "1969-12-31T00:00Z", "1970-01-01T00:00+01:00", "2026-11-21T10:00Z ", "2026-11-21T10:00+24:00", "٢٠٢٦-11-21T10:00Z",
        ] {
            #expect(Timestamp(text) == nil, "\(text)")
        }
    }

    @Test("keys name their tenant and come back")
    func tenantKeys() throws {
        let tenant = Identifier.random()
        for kind in [TenantKey.Kind.api, .secret] {
            let key = TenantKey.generate(kind, tenant: tenant)
            let read = try #require(TenantKey(key.text))
            #expect(read.tenant == tenant && read.kind == kind)
            #expect(TenantKey(key.text + "A") == nil)
        }
        #expect(TenantKey("pk_") == nil && TenantKey("whsec_x") == nil && TenantKey("") == nil)
    }

    @Test(
        "return addresses: the domain, its sub-domains, and nothing that only looks like it",
        arguments: [
            ("https://shop.example/a", true), ("http://SHOP.example:8080/", true), ("https://a.shop.example", true),
            ("https://shop.example.evil.com", false), ("https://evilshop.example", false), ("https://evil.com/shop.example", false),
            ("https://shop.example@evil.com/", false), ("//shop.example/", false), ("javascript:alert(1)", false),
            ("https:shop.example", false), ("https://evil.com\\@shop.example/", false), ("https:///shop.example", false),
            ("https://shop.example\n.evil.com", false), ("https://user:pw@shop.example/", false), ("ftp://shop.example/", false),
            ("https://shop.example%2eevil.com/", false), ("", false),
        ])
    func returnAddresses(address: String, allowed: Bool) {
        #expect(WebURL.isAllowed(address, hosts: ["shop.example"]) == allowed)
    }
}
