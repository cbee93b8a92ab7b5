import Testing

@testable import WaitingRoom

@Suite("Tickets")
struct TicketTests {
    private let secret = SecretKey(String(repeating: "k", count: 32))!
    private let ticket = Ticket(
        queue: .random(), entry: .random(), sequence: 17, joined: Timestamp(milliseconds: 1_795_226_716_133), epoch: 3, visitor: "vïsitor")

    @Test("a ticket comes back as it was, and always as the same text")
    func roundTrip() {
        let signer = TicketSigner(secret)
        #expect(signer.verify(signer.sign(ticket)) == ticket)
        #expect(signer.sign(ticket) == signer.sign(ticket))
    }

    @Test("no changed, cut or lengthened text is a ticket")
    func forged() {
        let signer = TicketSigner(secret)
        let text = signer.sign(ticket)
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        for index in text.indices {
            var changed = text
            let other = alphabet.first { $0 != text[index] }!
            changed.replaceSubrange(index...index, with: [other])
            #expect(signer.verify(changed) == nil)
            #expect(signer.verify(text[..<index]) == nil)
        }
        for suffix in ["A", "=", " ", "\0", "."] { #expect(signer.verify(text + suffix) == nil) }
        #expect(signer.verify("") == nil)
        #expect(signer.verify(String(repeating: "A", count: 5000)) == nil)
    }

    @Test("another secret's ticket is none; a rotated secret still verifies")
    func rotation() {
        let text = TicketSigner(secret).sign(ticket)
        let new = String(repeating: "n", count: 32)
        #expect(TicketSigner(SecretKey(new)!).verify(text) == nil)
        let rotated = TicketSigner(SecretKey(new + "," + String(repeating: "k", count: 32))!)
        #expect(rotated.verify(text) == ticket)
        #expect(rotated.sign(ticket) != text)
    }

    @Test(
        "secrets shorter than 32 characters are refused",
        arguments: ["", "short", String(repeating: "a", count: 31), String(repeating: "a", count: 32) + ",b"])
    func shortSecrets(text: String) { #expect(SecretKey(text) == nil) }

    @Test("what is sealed opens with the same secret only")
    func sealing() throws {
        let sealed = try secret.seal("whsec_abc")
        #expect(!sealed.contains("whsec"))
        #expect(secret.open(sealed) == "whsec_abc")
        #expect(SecretKey(String(repeating: "x", count: 32))!.open(sealed) == nil)
        #expect(secret.open(String(sealed.dropLast())) == nil)
        let rotated = SecretKey(String(repeating: "n", count: 32) + "," + String(repeating: "k", count: 32))!
        #expect(rotated.open(sealed) == "whsec_abc")
    }
}
