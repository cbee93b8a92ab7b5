import HTTPTypes
import Hummingbird
import WaitingRoom

/// What a join asks for, checked.
struct JoinBody {
    let queue: Identifier
    let visitor: String
    let token: String?
    let invitation: String?
    let challenge: String?
    let solution: String?
    let idempotencyKey: String?
    let isSimulation: Bool

    /// - Throws: ``GatewayError`` 413, 415 or 422.
    init(_ request: Request) async throws {
        var query = try request.queryFields()
        let mode = query.choice("mode", of: ["real", "simulation"]) ?? "real"
        try query.check()
        try self.init(try await request.fields(), idempotencyKey: request.headers[.idempotencyKey], isSimulation: mode == "simulation")
    }

    init(_ fields: Fields, idempotencyKey: String?, isSimulation: Bool) throws {
        var fields = fields
        let queue = fields.identifier("queue_id")
        visitor = fields.text("visitor_id", length: 1...64)
        token = fields.optionalText("token", length: 0...TicketSigner.maximumLength)
        invitation = fields.optionalText("invitation", length: 0...Invitation.maximumLength)
        challenge = fields.optionalText("challenge", length: 0...Challenges.maximumLength)
        solution = fields.optionalText("solution", length: Challenges.solutionLength)
        fields.checkIdempotencyKey(idempotencyKey)
        try fields.check()
        guard let queue else { throw GatewayError.queueNotFound }
        self.queue = queue
        self.idempotencyKey = idempotencyKey
        self.isSimulation = isSimulation
    }

    /// - Returns: `nil` when the key is none.
    init?(_ plain: PlainJoin, idempotencyKey: String?) {
        guard idempotencyKey.map(Self.isIdempotencyKey) ?? true else { return nil }
        queue = plain.queue
        visitor = plain.visitor
        token = nil
        invitation = nil
        challenge = nil
        solution = nil
        self.idempotencyKey = idempotencyKey
        isSimulation = false
    }

    fileprivate static func isIdempotencyKey(_ key: String) -> Bool {
        (16...64).contains(key.utf8.count) && key.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    /// The caller's own ticket, when it is one of this queue's present life. Any other proves nothing.
    func ticket(for queue: Queue, signer: TicketSigner) -> Ticket? { token.flatMap { signer.verify($0, for: queue) } }
}

extension Fields {
    /// Notes an `Idempotency-Key` header that is no key.
    mutating func checkIdempotencyKey(_ key: String?) {
        guard let key, !JoinBody.isIdempotencyKey(key) else { return }
        note("Idempotency-Key", type: "string_pattern_mismatch", "Header Idempotency-Key should be 16 to 64 visible ASCII characters")
    }
}
