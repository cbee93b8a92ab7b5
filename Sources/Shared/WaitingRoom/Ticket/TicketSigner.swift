import Crypto

/// Writes tickets as texts and reads them back.
///
/// Layout before base64url: version (1 byte), queue (16), entry (16), sequence (8), joined ms (8), epoch (4), visitor (UTF-8), and the first
/// 16 bytes of HMAC-SHA256 over all of it. The same ticket always gives the same text.
package struct TicketSigner: Sendable {
    private static let version: UInt8 = 1
    private static let fixedLength = 53
    private static let tagLength = 16
    /// No ticket is longer: a visitor id has at most 64 characters, which a few scalars each can make long.
    package static let maximumLength = 2048

    /// The hash with the key already in it, one for each key: a copy is half the work of a new one.
    private let hashes: [HMAC<SHA256>]

    package init(_ secret: SecretKey) { hashes = secret.keys(.ticket).map { HMAC(key: $0) } }

    package func sign(_ ticket: Ticket) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.fixedLength + ticket.visitor.utf8.count + Self.tagLength)
        bytes.append(Self.version)
        bytes.append(integer: ticket.queue.high)
        bytes.append(integer: ticket.queue.low)
        bytes.append(integer: ticket.entry.high)
        bytes.append(integer: ticket.entry.low)
        bytes.append(integer: ticket.sequence)
        bytes.append(integer: ticket.joined.milliseconds)
        bytes.append(integer: ticket.epoch)
        bytes.append(contentsOf: ticket.visitor.utf8)
        let tag = bytes.withUnsafeBytes { code(of: $0, hashes[0]) }
        tag.withUnsafeBytes { bytes.append(contentsOf: $0.prefix(Self.tagLength)) }
        return Base64URL.encode(bytes)
    }

    /// The ticket that `text` is; `nil` for anything that this service did not write.
    package func verify(_ text: some StringProtocol) -> Ticket? {
        guard text.utf8.count <= Self.maximumLength, let bytes = Base64URL.decode(text),
            bytes.count > Self.fixedLength + Self.tagLength, bytes[0] == Self.version
        else { return nil }
        let isOurs = bytes.withUnsafeBytes { bytes in
            let signed = UnsafeRawBufferPointer(rebasing: bytes.dropLast(Self.tagLength))
            return hashes.contains { hash in
                code(of: signed, hash).withUnsafeBytes { code in
                    zip(code, bytes.suffix(Self.tagLength)).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
                }
            }
        }
        guard isOurs, let visitor = String(validating: bytes.dropLast(Self.tagLength).dropFirst(Self.fixedLength), as: UTF8.self) else {
            return nil
        }
        return Ticket(
            queue: Identifier(high: bytes.integer(at: 1), low: bytes.integer(at: 9)),
            entry: Identifier(high: bytes.integer(at: 17), low: bytes.integer(at: 25)),
            sequence: bytes.integer(at: 33),
            joined: Timestamp(milliseconds: bytes.integer(at: 41)),
            epoch: bytes.integer(at: 49),
            visitor: visitor
        )
    }

    /// The ticket that `text` is, when it is one of the queue's present life.
    package func verify(_ text: some StringProtocol, for queue: Queue) -> Ticket? {
        guard let ticket = verify(text), ticket.queue == queue.id, ticket.epoch == queue.epoch else { return nil }
        return ticket
    }

    private func code(of message: UnsafeRawBufferPointer, _ hash: HMAC<SHA256>) -> HMAC<SHA256>.MAC {
        var hash = hash
        hash.update(data: message)
        return hash.finalize()
    }
}

extension [UInt8] {
    fileprivate mutating func append(integer: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: integer.bigEndian) { append(contentsOf: $0) }
    }

    fileprivate func integer<Integer: FixedWidthInteger>(at offset: Int) -> Integer {
        withUnsafeBytes { Integer(bigEndian: $0.loadUnaligned(fromByteOffset: offset, as: Integer.self)) }
    }
}
