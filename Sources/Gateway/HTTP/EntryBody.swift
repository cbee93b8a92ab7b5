import HTTPTypes
import Hummingbird
import NIOCore
import WaitingRoom

/// An entry as the QMS dialect writes it.
struct EntryBody: Sendable {
    let entry: Entry
    let queue: Queue
    /// Whose redirect address counts when the queue has none; needed once the entry is released.
    let tenant: Tenant?
    let token: String

    init(entry: Entry, queue: Queue, tenant: Tenant?, token: String) {
        self.entry = entry
        self.queue = queue
        self.tenant = tenant
        self.token = token
    }

    /// Appends the entry as JSON, its keys in the order that the contract promises. Written by hand: it is most of what a poll costs.
    func write(into buffer: inout ByteBuffer) {
        let waits = entry.state == .waiting
        buffer.writeStaticString("{\"queue_id\":")
        buffer.write(entry.queue)
        buffer.writeStaticString(",\"visitor_id\":")
        buffer.writeJSONString(entry.visitorID)
        buffer.writeStaticString(",\"status\":\"")
        buffer.writeString(entry.state.word)
        buffer.writeStaticString("\",\"redirect_url\":")
        buffer.writeJSON(.optional(entry.state == .released ? queue.redirectURL ?? tenant?.redirectURL : nil))
        buffer.writeStaticString(",\"wait_time\":")
        buffer.writeJSON(entry.waitSeconds.map { .integer($0) } ?? .null)
        buffer.writeStaticString(",\"expires_at\":")
        buffer.write(expires)
        buffer.writeStaticString(",\"id\":")
        buffer.write(entry.id)
        buffer.writeStaticString(",\"token\":\"")
        buffer.writeString(token)
        buffer.writeStaticString("\",\"created_at\":")
        buffer.write(entry.joined)
        buffer.writeStaticString(",\"position\":")
        buffer.writeJSON(.integer(entry.position))
        buffer.writeStaticString(",\"eta_seconds\":")
        buffer.writeJSON(waits ? Self.eta(position: entry.position, rate: queue.currentRatePerMinute).map { .integer($0) } ?? .null : 0)
        buffer.writeStaticString(",\"queue_length\":")
        buffer.writeJSON(.integer(entry.queueLength))
        buffer.writeStaticString(",\"poll_after_ms\":")
        buffer.writeJSON(.integer(waits ? Self.pollAfter(position: entry.position, rate: queue.currentRatePerMinute) : 0))
        if let message = queue.message {
            buffer.writeStaticString(",\"message\":")
            buffer.writeJSONString(message)
        }
        buffer.writeStaticString("}")
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
        queue.waitTTLSeconds == 0 ? nil : entry.lastSeen?.adding(seconds: queue.waitTTLSeconds)
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

    /// Milliseconds until the next poll is worth making: about 1,500 near the front, growing with the wait ahead to 15,000, give or take a
    /// fifth so that visitors who came together do not poll together.
    static func pollAfter(position: Int, rate: Double) -> Int {
        let seconds = eta(position: position, rate: rate)
        var delay = Self.nearDelay
        if position > 20, (seconds ?? .max) > 30 {
            // A twentieth of the time ahead; without a rate, as if one were let in every 1.5 seconds.
            let ahead = seconds.map(Double.init) ?? Double(position) * 1.5
            delay = min(max(ahead * 50, Self.nearDelay), Self.farDelay)
        }
        return Int(delay * Double.random(in: 0.8...1.2))
    }

    private static let nearDelay = 1500.0
    private static let farDelay = 15_000.0
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

extension ByteBuffer {
    /// Appends a UUID in quotes.
    fileprivate mutating func write(_ id: Identifier) {
        writeStaticString("\"")
        writeWithUnsafeMutableBytes(minimumWritableBytes: Identifier.textLength) {
            id.write(to: $0)
            return Identifier.textLength
        }
        writeStaticString("\"")
    }

    /// Appends a time in quotes, or null.
    fileprivate mutating func write(_ time: Timestamp?) {
        guard let time else {
            writeStaticString("null")
            return
        }
        writeStaticString("\"")
        writeWithUnsafeMutableBytes(minimumWritableBytes: 32) { time.write(to: $0) }
        writeStaticString("\"")
    }
}
