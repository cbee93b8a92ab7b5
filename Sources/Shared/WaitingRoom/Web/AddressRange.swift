import Glibc

/// An IPv4 or IPv6 address as a number.
package struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    /// 4 or 16, in network order.
    package let bytes: [UInt8]

    /// Reads the text form of an address; `nil` for anything else, zones and ports included. An IPv4 address inside IPv6
    /// (`::ffff:192.0.2.1`, RFC 4291, section 2.5.5.2) is the IPv4 one.
    package init?(_ text: some StringProtocol) {
        let text = String(text)
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = withUnsafeBytes(of: &four, Array.init)
            return
        }
        var sixteen = in6_addr()
        guard inet_pton(AF_INET6, text, &sixteen) == 1 else { return nil }
        let all = withUnsafeBytes(of: &sixteen, Array.init)
        let isMapped = all.prefix(10).allSatisfy { $0 == 0 } && all[10] == 0xFF && all[11] == 0xFF
        bytes = isMapped ? Array(all.suffix(4)) : all
    }

    /// - Parameter bytes: 4 or 16, in network order, taken as they are: an IPv4 address inside IPv6 stays an IPv6 one.
    package init(bytes: [UInt8]) { self.bytes = bytes }

    package var isIPv6: Bool { bytes.count == 16 }

    /// The address with all but the first `bits` set to 0.
    package func prefix(bits: Int) -> IPAddress {
        IPAddress(
            bytes: bytes.enumerated().map { index, byte in
                let kept = min(8, max(0, bits - 8 * index))
                return byte & UInt8(truncatingIfNeeded: 0xFF00 >> kept)
            })
    }

    package var description: String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        _ = inet_ntop(isIPv6 ? AF_INET6 : AF_INET, bytes, &buffer, socklen_t(buffer.count))
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// A block of addresses in CIDR notation (RFC 4632, RFC 4291): `10.0.0.0/8`, `2001:db8::/32`, or one address.
package struct AddressRange: Sendable, Equatable {
    private let base: IPAddress
    private let bits: Int

    /// - Returns: `nil` when `text` is no address with a length that it can have.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parts[0]) else { return nil }
        let width = 8 * address.bytes.count
        guard parts.count == 2 else {
            (base, bits) = (address, width)
            return
        }
        // The length of a range written as IPv4 inside IPv6 counts from the IPv6 address's beginning.
        let inset = parts[0].contains(":") && !address.isIPv6 ? 96 : 0
        guard let written = Int(parts[1]), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            (inset...inset + width).contains(written)
        else { return nil }
        bits = written - inset
        base = address.prefix(bits: bits)
    }

    package func contains(_ address: IPAddress) -> Bool {
        address.bytes.count == base.bytes.count && address.prefix(bits: bits) == base
    }
}
