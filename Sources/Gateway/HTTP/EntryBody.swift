import HTTPTypes
import Hummingbird
import NIOCore
import WaitingRoom

/// An entry as the QMS dialect writes it.
struct EntryBody: Sendable {
    let entry: Entry
    private let queue: RememberedQueue
    private let view: QueueView?
    private let forecast: Forecast
    private let phase: Phase?
    /// Whether they have no place yet: it is drawn, or nobody can tell where those stand who were drawn last.
    private let isDrawn: Bool
    private let redirectURL: String?
    private let token: String
    private let pass: String?
    /// Seconds until the queue opens; 0 for none.
    private let opening: Double

    /// Why a line does not move as its rate says.
    enum Phase: String, CaseIterable {
        /// It has not opened; places are drawn, or those who came first stand first.
        case preQueue = "pre_queue"
        case paused
        /// As many are inside as may be.
        case full
    }

    /// - Parameters:
    ///   - view: how the line stands, from which waiting times are told; `nil` where it is not known, or the entry waits no more.
    ///   - tenant: whose redirect address counts when the queue has none; needed once the entry is released.
    ///   - passes: signs the pass of one who was let in; `nil` for a reader who is not its holder.
    init(entry: Entry, queue: Queue, view: QueueView?, tenant: Tenant?, token: String, passes: PassSigner?) {
        self.init(
            entry, RememberedQueue(queue), view, token: token,
            redirectURL: entry.state == .released ? queue.redirectURL ?? tenant?.redirectURL : nil,
            pass: Pass(entry, of: queue).flatMap { try? passes?.sign($0) })
    }

    /// Of one who waits.
    init(waiting entry: Entry, queue: RememberedQueue, view: QueueView?, token: String) {
        self.init(entry, queue, view, token: token, redirectURL: nil, pass: nil)
    }

    private init(_ entry: Entry, _ queue: RememberedQueue, _ view: QueueView?, token: String, redirectURL: String?, pass: String?) {
        self.entry = entry
        self.queue = queue
        self.view = view
        self.token = token
        self.redirectURL = redirectURL
        self.pass = pass
        forecast = Forecast(queue, view)
        opening = queue.opensAt.map { max(0, Double($0.milliseconds - Timestamp.now().milliseconds) / 1000) } ?? 0
        isDrawn = entry.state == .waiting && (opening > 0 && queue.isShuffled || view?.isDrawing ?? false)
        phase =
            if entry.state != .waiting {
                nil
            } else if opening > 0 || isDrawn && queue.opensAt != nil {
                .preQueue
            } else if queue.isPaused {
                .paused
            } else if let view, queue.isFull(view) {
                .full
            } else {
                nil
            }
    }

    /// 0 for one who has none yet.
    private var position: Int { isDrawn ? 0 : entry.position }

    /// A number that was drawn says nothing of how many wait.
    private var queueLength: Int { isDrawn ? max(1, view?.waiting ?? 1) : entry.queueLength }

    /// No entry takes more bytes.
    var mostBytes: Int {
        func most(_ text: String?) -> Int { text.map { ByteCursor.mostBytes(ofJSONString: $0) } ?? 0 }
        // All keys, and ids, times and numbers at their longest, are 581 bytes of one who waits, rounded up; the texts come on top.
        // ByteCursor ends the program beyond.
        return 800 + token.utf8.count + most(entry.visitorID) + most(redirectURL) + most(queue.message)
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
        text.write(position)
        let wait = waits ? self.wait : nil
        text.write(",\"eta_seconds\":" as StaticString)
        text.writeOptional(waits ? wait?.value : 0)
        text.write(",\"queue_length\":" as StaticString)
        text.write(queueLength)
        text.write(",\"poll_after_ms\":" as StaticString)
        text.write(waits ? pause : 0)
        if waits { writeForecast(wait, into: &text) }
        if let message = queue.message {
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

    /// Seconds until they are let in, and within which bounds; before an opening that draws lots only the first of it is known. `nil` when
    /// people are let in by hand only.
    private var wait: (value: Int?, low: Int?, high: Int?)? {
        func seconds(_ time: Double) -> Int { Int(min((time + opening).rounded(.up), 1e15)) }
        if position == 0 { return (seconds(0), seconds(0), nil) }
        return forecast.wait(at: position).map { (seconds($0.seconds), seconds($0.low), seconds($0.high)) }
    }

    /// Writes within which bounds the waiting time is, and what it rests on.
    private func writeForecast(_ wait: (value: Int?, low: Int?, high: Int?)?, into text: inout ByteCursor) {
        text.write(",\"eta_low_seconds\":" as StaticString)
        text.writeOptional(wait?.low)
        text.write(",\"eta_high_seconds\":" as StaticString)
        text.writeOptional(wait?.high)
        text.write(",\"max_users_per_minute\":" as StaticString)
        text.write(queue.rateText)
        if let phase {
            text.write(",\"phase\":\"" as StaticString)
            text.write(phase.rawValue)
            text.write("\"" as StaticString)
            if phase == .preQueue, let opensAt = queue.opensAt {
                text.write(",\"opens_at\":\"" as StaticString)
                text.write(opensAt.rfc3339)
                text.write("\"" as StaticString)
            }
        }
    }

    /// Milliseconds until the next poll is worth making.
    private var pause: Int {
        if phase == .preQueue || isDrawn {
            return PollPace.pause(untilOpening: opening, length: queueLength, waitTTLSeconds: queue.waitTTLSeconds)
        }
        return PollPace.pause(position: entry.position, rate: queue.ratePerMinute, waitTTLSeconds: queue.waitTTLSeconds)
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
