import HTTPTypes
import Hummingbird
import NIOCore
import WaitingRoom

/// An entry as the QMS dialect writes it.
struct EntryBody: Sendable {
    let entry: Entry
    private let ratePerMinute: Double
    private let waitTTLSeconds: Int
    private let message: String?
    private let redirectURL: String?
    private let token: String
    private let pass: String?

    /// - Parameters:
    ///   - tenant: whose redirect address counts when the queue has none; needed once the entry is released.
    ///   - passes: signs the pass of one who was let in; `nil` for a reader who is not its holder.
    init(entry: Entry, queue: Queue, tenant: Tenant?, token: String, passes: PassSigner?) {
        self.entry = entry
        ratePerMinute = queue.currentRatePerMinute
        waitTTLSeconds = queue.waitTTLSeconds
        message = queue.message
        redirectURL = entry.state == .released ? queue.redirectURL ?? tenant?.redirectURL : nil
        self.token = token
        pass = Pass(entry, of: queue).flatMap { try? passes?.sign($0) }
    }

    /// Of one who waits.
    init(waiting entry: Entry, queue: RememberedQueue, token: String) {
        self.entry = entry
        ratePerMinute = queue.ratePerMinute
        waitTTLSeconds = queue.waitTTLSeconds
        message = queue.message
        redirectURL = nil
        self.token = token
        pass = nil
    }

    /// No entry takes more bytes.
    var mostBytes: Int {
        func most(_ text: String?) -> Int { text.map { ByteCursor.mostBytes(ofJSONString: $0) } ?? 0 }
        return 600 + token.utf8.count + most(entry.visitorID) + most(redirectURL) + most(message)
            + (pass?.utf8.count ?? 0)
    }

    /// Appends the entry as JSON.
    func write(into buffer: inout ByteBuffer) {
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: mostBytes) { memory in
            var cursor = ByteCursor(memory)
            write(into: &cursor)
            return cursor.count
        }
    }

    /// Writes the entry as JSON, its keys in the order that the contract promises. Written by hand: it is much of what a poll costs.
    func write(into text: inout ByteCursor) {
        let waits = entry.state == .waiting
        text.write("{\"queue_id\":" as StaticString)
        text.write(entry.queue)
        text.write(",\"visitor_id\":" as StaticString)
        text.writeJSONString(entry.visitorID)
        text.write(",\"status\":\"" as StaticString)
        text.write(entry.state.word)
        if waits {
            text.write("\",\"redirect_url\":null,\"wait_time\":null,\"expires_at\":" as StaticString)
        } else {
            text.write("\",\"redirect_url\":" as StaticString)
            if let redirectURL { text.writeJSONString(redirectURL) } else { text.write("null" as StaticString) }
            text.write(",\"wait_time\":" as StaticString)
            text.writeOptional(entry.waitSeconds)
            text.write(",\"expires_at\":" as StaticString)
        }
        if let expires { text.write(expires) } else { text.write("null" as StaticString) }
        text.write(",\"id\":" as StaticString)
        text.write(entry.id)
        text.write(",\"token\":\"" as StaticString)
        text.write(token)
        text.write("\",\"created_at\":" as StaticString)
        text.write(entry.joined)
        text.write(",\"position\":" as StaticString)
        text.write(entry.position)
        text.write(",\"eta_seconds\":" as StaticString)
        text.writeOptional(waits ? Self.eta(position: entry.position, rate: ratePerMinute) : 0)
        text.write(",\"queue_length\":" as StaticString)
        text.write(entry.queueLength)
        text.write(",\"poll_after_ms\":" as StaticString)
        text.write(waits ? PollPace.pause(position: entry.position, rate: ratePerMinute, waitTTLSeconds: waitTTLSeconds) : 0)
        if let message {
            text.write(",\"message\":" as StaticString)
            text.writeJSONString(message)
        }
        if let pass {
            text.write(",\"pass\":\"" as StaticString)
            text.write(pass)
            text.write("\"" as StaticString)
        }
        text.write("}" as StaticString)
    }

    /// The answer of a route that tells of one entry.
    var response: Response {
        var buffer = ByteBuffer()
        write(into: &buffer)
        return Response(status: .ok, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: buffer))
    }

    /// The answer of a route that lists entries.
    static func response(_ bodies: [EntryBody]) -> Response {
        var buffer = ByteBuffer(string: "[")
        for (index, body) in bodies.enumerated() {
            if index > 0 { buffer.writeStaticString(",") }
            body.write(into: &buffer)
        }
        buffer.writeStaticString("]")
        return Response(status: .ok, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: buffer))
    }

    /// When a waiting visitor who says no more is given up; `nil` for never and for anybody else.
    private var expires: Timestamp? {
        waitTTLSeconds == 0 ? nil : entry.lastSeen?.adding(seconds: waitTTLSeconds)
    }

    /// What a join with `mode=simulation` answers: let in at once, good for five minutes, stored nowhere.
    static func simulation(queue: Queue, tenant: Tenant, visitor: String) -> JSON {
        let now = Timestamp.now()
        let id = Identifier.random()
        return [
            "queue_id": .string(queue.id.description), "visitor_id": .string(visitor), "status": "ready",
            "redirect_url": .optional(queue.redirectURL ?? tenant.redirectURL), "wait_time": 0,
            "expires_at": .string(now.adding(seconds: 300).zoneless), "id": .string(id.description), "token": .string("simulation-\(id)"),
            "created_at": .string(now.zoneless), "position": 0, "eta_seconds": 0, "queue_length": 0, "poll_after_ms": 0,
        ]
    }

    /// Seconds until `position` is let in; `nil` when people are let in by hand only.
    static func eta(position: Int, rate: Double) -> Int? {
        rate > 0 ? Int(min((Double(position) * 60 / rate).rounded(.up), 1e15)) : nil
    }
}

extension Entry.State {
    /// The state's name in the QMS dialect.
    var word: String {
        switch self {
        case .waiting: "waiting"
        case .released: "ready"
        case .expired: "expired"
        case .cancelled: "rejected"
        }
    }

    init?(word: String) {
        guard let state = Self.allCases.first(where: { $0.word == word }) else { return nil }
        self = state
    }
}

extension ByteCursor {
    /// Writes a number that is not negative, or null.
    fileprivate mutating func writeOptional(_ number: Int?) {
        if let number { write(max(0, number)) } else { write("null" as StaticString) }
    }
}
