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

    @Test("a ticket is known by its text as long as it is asked about, and forgotten two minutes later")
    func remembered() throws {
        let signer = TicketSigner(secret)
        var text = signer.sign(ticket)
        func find() throws -> SignedTicket { try #require(text.withUTF8 { signer.verify($0) }) }
        let known = try find()
        for _ in 0..<5 {
            for _ in 0..<64 { signer.forgetUnused() }
            #expect(try find() === known)
        }
        for _ in 0..<128 { signer.forgetUnused() }
        let again = try find()
        #expect(again !== known)
        #expect(again.ticket == ticket && again.text == text)
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
        guard case .resealed(let text) = try rotated.reseal(sealed) else {
            Issue.record("not sealed anew")
            return
        }
        #expect(SecretKey(String(repeating: "n", count: 32))!.open(text) == "whsec_abc")
        #expect(try rotated.reseal(text) == .current)
        #expect(try secret.reseal(text) == .lost)
    }
}
