import HTTPTypes
import Hummingbird
import NIOCore
import WaitingRoom

/// Whom limits per address count: the visitor's end of the connection, seen through the proxies that are trusted.
struct ClientAddress: Sendable, Equatable, CustomStringConvertible {
    /// An IPv6 customer has a whole /64 (RFC 6177): its addresses count as one.
    private static let customerBits = 64

    /// IPv4, or the first address of an IPv6 /64; "local" on a unix socket.
    let description: String

    /// - Parameters:
    ///   - peer: the other end of the connection.
    ///   - forwardedFor: the `X-Forwarded-For` field, which counts only when `peer` is trusted; then its right-most address that is not
    ///     trusted itself is the client, because everything further left was written by that client.
    init(peer: IPAddress?, forwardedFor: String?, trusting proxies: [AddressRange]) {
        guard let peer else {
            description = "local"
            return
        }
        var client = peer
        for hop in (forwardedFor ?? "").split(separator: ",").reversed() {
            guard proxies.contains(where: { $0.contains(client) }), let address = Self.address(hop) else { break }
            client = address
        }
        description = (client.isIPv6 ? client.prefix(bits: Self.customerBits) : client).description
    }

    /// Reads `192.0.2.1`, `192.0.2.1:1234`, `2001:db8::1` or `[2001:db8::1]:1234`.
    private static func address(_ hop: Substring) -> IPAddress? {
        let text = String(hop.filter { $0 != " " && $0 != "\t" })
        if text.hasPrefix("[") { return text.dropFirst().split(separator: "]", maxSplits: 1).first.flatMap { IPAddress($0) } }
        return IPAddress(text) ?? text.split(separator: ":").first.flatMap { IPAddress($0) }
    }
}

extension GatewayContext {
    /// The client of `request`, as `TRUSTED_PROXIES` allows to see it.
    func clientAddress(_ room: Room, _ request: Request) -> ClientAddress {
        // Several fields of one name are one list (RFC 9110, section 5.3).
        let forwarded = request.headers[values: .forwardedFor].joined(separator: ",")
        return ClientAddress(
            peer: peer?.ipAddress.flatMap { IPAddress($0) }, forwardedFor: forwarded, trusting: room.configuration.trustedProxies)
    }
}
