import Crypto

/// Writes tickets as texts and reads them back.
///
/// Layout before base64url: version (1 byte), queue (16), entry (16), sequence (8), joined ms (8), epoch (4), visitor (UTF-8), and the
/// first 16 bytes of HMAC-SHA256 over all of it. The same ticket always gives the same text.
package struct TicketSigner: Sendable {
    private static let version: UInt8 = 1
    private static let fixedLength = 53
    private static let tagLength = 16
    /// No ticket is longer: a visitor id has at most 64 characters, which a few scalars each can make long.
    package static let maximumLength = 2048

    /// The hash with the key already in it, one for each key: a copy is half the work of a new one.
    private let hashes: [HMAC<SHA256>]
    private let verified = VerifiedTexts<SignedTicket>()

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
        let signed = text.utf8.withContiguousStorageIfAvailable(verify) ?? Array(text.utf8).withUnsafeBufferPointer(verify)
        return signed?.ticket
    }

    /// The ticket that a text of these bytes is.
    package func verify(_ text: UnsafeBufferPointer<UInt8>) -> SignedTicket? {
        guard text.count <= Self.maximumLength else { return nil }
        if let known = verified.find(text) { return known }
        let ticket = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: text.count) { memory -> Ticket? in
            guard let count = Base64URL.decode(text, into: memory), count > Self.fixedLength + Self.tagLength, memory[0] == Self.version
            else { return nil }
            return verify(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: memory[..<count])))
        }
        guard let ticket else { return nil }
        let signed = SignedTicket(ticket, text: String(decoding: text, as: UTF8.self))
        verified.note(signed, text)
        return signed
    }

    private func verify(_ bytes: UnsafeRawBufferPointer) -> Ticket? {
        let signed = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - Self.tagLength)])
        let isOurs = hashes.contains { hash in
            code(of: signed, hash).withUnsafeBytes { code in
                var difference: UInt8 = 0
                for index in 0..<Self.tagLength { difference |= code[index] ^ bytes[signed.count + index] }
                return difference == 0
            }
        }
        guard isOurs, let visitor = String(validating: signed[Self.fixedLength...], as: UTF8.self) else { return nil }
        return Ticket(
            queue: Identifier(high: bytes.integer(at: 1), low: bytes.integer(at: 9)),
            entry: Identifier(high: bytes.integer(at: 17), low: bytes.integer(at: 25)),
            sequence: bytes.integer(at: 33),
            joined: Timestamp(milliseconds: bytes.integer(at: 41)),
            epoch: bytes.integer(at: 49),
            visitor: visitor
        )
    }

    /// Forgets texts of tickets that were not verified for a minute or two; to be called once a second where tickets are verified.
    func forgetUnused() { verified.forgetUnused() }

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
}

extension UnsafeRawBufferPointer {
    fileprivate func integer<Integer: FixedWidthInteger>(at offset: Int) -> Integer {
        Integer(bigEndian: loadUnaligned(fromByteOffset: offset, as: Integer.self))
    }
}
