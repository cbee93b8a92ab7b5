import WaitingRoom

/// Decides where callbacks may go. The host is resolved once, every address it has is checked as a number, and the attempt then connects to
/// a checked address: a name that answers differently a moment later changes nothing.
struct AddressGuard: Sendable {
    enum Refusal: Error, Equatable {
        case unknownHost
        /// One of the host's addresses belongs to no public network.
        case privateAddress
    }

    private let allowsPrivate: Bool
    private let lookup: HostLookup

    /// - Parameter allowsPrivate: whether addresses of private networks are allowed (`CALLBACK_ALLOW_PRIVATE`).
    init(allowsPrivate: Bool, lookup: HostLookup = HostLookup()) {
        self.allowsPrivate = allowsPrivate
        self.lookup = lookup
    }

    /// The addresses of `host`, as digits, in the order in which to try them.
    /// - Parameter host: a name, or an address in any form that the system's resolver takes.
    /// - Throws: ``Refusal``.
    func resolve(_ host: String) async throws(Refusal) -> [String] {
        let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        let addresses = await lookup.addresses(of: bare)
        guard !addresses.isEmpty else { throw .unknownHost }
        guard allowsPrivate || addresses.allSatisfy(Self.isPublic) else { throw .privateAddress }
        return addresses.map(\.description)
    }

    /// Whether an address is one of the public internet: none of the special-purpose blocks of RFC 6890 and its registries, nor an IPv6
    /// form that carries such an IPv4 address.
    static func isPublic(_ address: IPAddress) -> Bool {
        let bytes = address.bytes
        guard bytes.count == 16 else { return isPublic(four: bytes) }
        let zeros = bytes.prefix(10).allSatisfy { $0 == 0 }
        if zeros, bytes[10] == 0xFF, bytes[11] == 0xFF { return isPublic(four: Array(bytes[12...])) }
        // Loopback, unspecified and the old "IPv4-compatible" form.
        if zeros, bytes[10] == 0, bytes[11] == 0 { return false }
        switch (bytes[0], bytes[1]) {
        // 64:ff9b::/96 and 64:ff9b:1::/48, NAT64.
        case (0x00, 0x64): return bytes.prefix(12) == [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0] && isPublic(four: Array(bytes[12...]))
        // 6to4 carries its IPv4 address in the middle.
        case (0x20, 0x02): return isPublic(four: Array(bytes[2..<6]))
        // 2001::/23 (Teredo and others) and 2001:db8::/32, documentation.
        case (0x20, 0x01): return bytes[2] >= 0x02 && !(bytes[2] == 0x0D && bytes[3] == 0xB8)
        // The public internet is 2000::/3 without 3fff::/20, documentation; all the rest is private, link-local, multicast or unassigned.
        default: return bytes[0] & 0xE0 == 0x20 && !(bytes[0] == 0x3F && bytes[1] == 0xFF && bytes[2] < 0x10)
        }
    }

    private static func isPublic(four bytes: [UInt8]) -> Bool {
        switch (bytes[0], bytes[1], bytes[2]) {
        case (0, _, _), (10, _, _), (127, _, _), (169, 254, _), (192, 168, _), (192, 0, 0), (192, 0, 2), (192, 88, 99), (198, 51, 100),
            (203, 0, 113):
            false
        case (100, 64...127, _), (172, 16...31, _), (198, 18...19, _), (224..., _, _): false
        default: true
        }
    }
}
