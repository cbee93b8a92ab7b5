import Testing

@testable import Releaser

@Suite("AddressGuard")
struct AddressGuardTests {
    @Test(
        "addresses of private networks are refused, however they are written",
        arguments: [
            "127.0.0.1", "127.8.9.1", "localhost", "0.0.0.0", "0", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "10.0.0.1",
            "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.8", "198.18.0.1",
            "224.0.0.1", "240.0.0.1", "255.255.255.255", "[::1]", "::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
            "64:ff9b::127.0.0.1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::", "2001::1", "2001:db8::1", "fc00::1", "fd12::1",
            "fe80::1", "fec0::1", "ff02::1", "100::1", "3fff::1", "3fff:fff::1", "5f00::1", "::ffff:0:8.8.8.8",
        ])
    func refused(host: String) async {
        await #expect(throws: AddressGuard.Refusal.privateAddress) { try await AddressGuard(allowsPrivate: false).resolve(host) }
    }

    @Test(
        "addresses of the public internet are allowed",
        arguments: [
            ("8.8.8.8", "8.8.8.8"), ("172.15.0.1", "172.15.0.1"), ("172.32.0.1", "172.32.0.1"), ("100.128.0.1", "100.128.0.1"),
            ("134744072", "8.8.8.8"), ("[2606:4700::1111]", "2606:4700::1111"), ("64:ff9b::8.8.8.8", "64:ff9b::808:808"),
            ("2002:808:808::1", "2002:808:808::1"), ("3fff:1000::1", "3fff:1000::1"),
        ])
    func allowed(host: String, address: String) async throws {
        #expect(try await AddressGuard(allowsPrivate: false).resolve(host) == [address])
    }

    @Test("private ones are allowed when the operator says so; a name that is none is not")
    func operatorSaysSo() async throws {
        #expect(try await AddressGuard(allowsPrivate: true).resolve("127.0.0.1") == ["127.0.0.1"])
        await #expect(throws: AddressGuard.Refusal.unknownHost) { try await AddressGuard(allowsPrivate: true).resolve("no host") }
    }
}
