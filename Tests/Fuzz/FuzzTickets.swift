// Tickets and keys as clients send them: nothing but what was signed is a ticket, each has one text only, and no text with a right
// signature breaks the reader.

import Crypto

private let secret = SecretKey("a secret of the fuzzer that is long enough")!
private let signer = TicketSigner(secret)
private let signature = secret.keys(.ticket)[0]

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTickets(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let text = String(decoding: bytes, as: UTF8.self)
    precondition(signer.verify(text) == nil, "a forged ticket")
    if let decoded = Base64URL.decode(text) { precondition(Base64URL.encode(decoded) == text, "two texts for the same bytes") }
    if let key = TenantKey(text) { precondition(key.text == text, "two texts for the same key") }
    if let id = Identifier(uuid: text) { precondition(id.description == text.lowercased(), "two texts for the same id") }

    // As if signed by somebody who has the key: the reader behind the signature meets whatever bytes there are.
    let payload = bytes.first == 1 ? bytes : [1] + bytes
    let signed = payload + HMAC<SHA256>.authenticationCode(for: payload, using: signature).prefix(16)
    if let ticket = signer.verify(Base64URL.encode(signed)) {
        precondition(signer.sign(ticket) == Base64URL.encode(signed), "two texts for the same ticket")
    }
    var changed = signed
    changed[count % changed.count] ^= 1 << UInt8(count % 8)
    precondition(signer.verify(Base64URL.encode(changed)) == nil, "a changed ticket")
    return 0
}
