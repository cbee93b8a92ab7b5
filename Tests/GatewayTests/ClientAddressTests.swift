import Configuration
import Testing
import WaitingRoom

@testable import Gateway

@Suite("Whom limits per address count")
struct ClientAddressTests {
    private func client(_ peer: String, _ forwardedFor: String? = nil, trusting proxies: [String] = ["10.0.0.0/8", "fd00::/8"]) throws
        -> String
    {
        let ranges = try proxies.map { try #require(AddressRange($0)) }
        return ClientAddress(peer: IPAddress(peer), forwardedFor: forwardedFor, trusting: ranges).description
    }

    @Test("the header of someone who is not trusted changes nothing")
    func untrustedPeer() throws {
        #expect(try client("192.0.2.1", "198.51.100.1") == "192.0.2.1")
        #expect(try client("10.0.0.1", "198.51.100.1", trusting: []) == "10.0.0.1")
    }

    @Test("the right-most address that is not trusted is the client")
    func trustedChain() throws {
        #expect(try client("10.0.0.1", "198.51.100.1") == "198.51.100.1")
        #expect(try client("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.2.3.4") == "198.51.100.1")
        #expect(try client("fd00::1", " 198.51.100.1:4711 ") == "198.51.100.1")
        #expect(try client("10.0.0.1", "10.0.0.2, 10.0.0.3") == "10.0.0.2")
    }

    @Test("what is no address ends the chain at the last one known")
    func garbage() throws {
        #expect(try client("10.0.0.1", nil) == "10.0.0.1")
        #expect(try client("10.0.0.1", "unknown") == "10.0.0.1")
        #expect(try client("10.0.0.1", "198.51.100.1, unknown, 10.0.0.2") == "10.0.0.2")
    }

    @Test("an IPv6 client is its /64, an IPv4 one inside IPv6 is itself")
    func ipv6() throws {
        #expect(try client("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::")
        #expect(try client("10.0.0.1", "[2001:db8:1:2:ffff::1]:443") == "2001:db8:1:2::")
        #expect(try client("::ffff:192.0.2.1") == "192.0.2.1")
        #expect(try client("::ffff:10.0.0.1", "198.51.100.1") == "198.51.100.1")
    }

    @Test("ranges are compared as numbers, bit by bit")
    func ranges() throws {
        let odd = try #require(AddressRange("192.0.2.129/25"))
        #expect(odd.contains(try #require(IPAddress("192.0.2.255"))))
        #expect(!odd.contains(try #require(IPAddress("192.0.2.127"))))
        #expect(try #require(AddressRange("0.0.0.0/0")).contains(try #require(IPAddress("8.8.8.8"))))
        #expect(!(try #require(AddressRange("::/0")).contains(try #require(IPAddress("8.8.8.8")))))
        #expect(try #require(AddressRange("::ffff:10.0.0.0/104")).contains(try #require(IPAddress("10.9.8.7"))))
    }

    @Test(
        "what is no range is refused",
        arguments: ["", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "example.com", "::/129", "10.0.0.0/+8", "10.0.0.0/"])
    func notARange(text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test("a wrong TRUSTED_PROXIES stops the start")
    func configuration() throws {
        let environment = EnvironmentVariablesProvider(environmentVariables: ["TRUSTED_PROXIES": "10.0.0.0/8,10.0.0.0/99"])
        let error = try #require(throws: ConfigurationError.self) { try ServiceConfiguration(ConfigReader(provider: environment)) }
        #expect(error.variable == "TRUSTED_PROXIES")
        #expect(error.description.contains("10.0.0.0/99"))
    }
}
