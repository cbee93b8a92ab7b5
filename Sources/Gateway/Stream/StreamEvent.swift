import NIOCore
import WaitingRoom

/// What is written into a stream (HTML standard, section 9.2, "Server-sent events").
enum StreamEvent {
    /// Lets go by what a client with `Last-Event-ID` has been told already: a place, or what became of the visitor.
    static func id(of entry: Entry) -> String {
        entry.state == .waiting ? String(entry.position) : entry.state.word
    }

    /// Where the visitor stands, as `GET /queue_status` tells it.
    static func status(_ body: EntryBody) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: 768)
        buffer.writeStaticString("event: status\nid: ")
        buffer.writeString(id(of: body.entry))
        buffer.writeStaticString("\ndata: ")
        body.write(into: &buffer)
        buffer.writeStaticString("\n\n")
        return buffer
    }

    /// That nothing is known for now; places are kept.
    static func unavailable() -> ByteBuffer {
        var buffer = ByteBuffer(string: "event: unavailable\ndata: ")
        buffer.writeJSON(Dialect.qms.body(.unavailable))
        buffer.writeStaticString("\n\n")
        return buffer
    }

    /// How long a client that was cut off waits before it comes back.
    static func retry(milliseconds: Int) -> ByteBuffer { ByteBuffer(string: "retry: \(milliseconds)\n\n") }

    static let beat = ByteBuffer(string: ":\n\n")
}
