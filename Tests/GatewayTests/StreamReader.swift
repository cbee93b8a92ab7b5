import Foundation
import HummingbirdTesting
import NIOCore
import NIOPosix
import Testing
import WaitingRoom

@testable import Gateway

/// One stream of events, read from a connection of its own as its bytes come.
struct StreamReader {
    struct Event {
        let name: String
        let id: String?
        let data: JSON
    }

    private var bytes: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private var text = ""

    fileprivate init(_ bytes: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator) { self.bytes = bytes }

    /// The status line and the headers of the answer.
    mutating func head() async throws -> String { try #require(try await part(before: "\r\n\r\n")) }

    /// The next lines up to an empty one; `nil` at the end of the stream.
    mutating func block() async throws -> String? { try await part(before: "\n\n") }

    /// The next event, comments and times to wait left out; `nil` at the end of the stream.
    mutating func event() async throws -> Event? {
        while let block = try await block() {
            var fields: [String: String] = [:]
            for line in block.split(separator: "\n") {
                let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                fields[String(parts[0]), default: ""] += parts[1].dropFirst()
            }
            guard let name = fields["event"] else { continue }
            return Event(name: name, id: fields["id"], data: try JSONScanner.scan(Array((fields["data"] ?? "").utf8)))
        }
        return nil
    }

    /// Reads the next event, which must have this id; `nil` for the end of the stream.
    mutating func expect(_ id: String?, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let event = try await event()
        #expect(event.map { $0.id ?? $0.name } == id, sourceLocation: sourceLocation)
    }

    /// Everything to the end of the connection.
    mutating func rest() async throws -> String {
        while try await read() {}
        return text
    }

    private mutating func part(before end: String) async throws -> String? {
        while true {
            // By bytes: "\r\n" is one character.
            if let found = text.utf8.firstRange(of: end.utf8) {
                defer { text = String(text[found.upperBound...]) }
                return String(text[..<found.lowerBound])
            }
            guard try await read() else { return nil }
        }
    }

    private mutating func read() async throws -> Bool {
        guard let more = try await bytes.next() else { return false }
        text += String(buffer: more)
        return true
    }
}

extension Site {
    /// Opens a stream with the holder's token and runs `body` with it, its head not read yet; closes the connection at the end.
    func stream(
        _ token: String, lastEvent: String? = nil, version: String = "1.1", headers: String = "",
        _ body: (inout StreamReader) async throws -> Void
    ) async throws {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: try #require(client.port)) { channel in
                channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel) }
            }
        try await channel.executeThenClose { inbound, outbound in
            let last = lastEvent.map { "Last-Event-ID: \($0)\r\n" } ?? ""
            let request = "GET /queue_status/stream?token=\(token) HTTP/\(version)\r\nHost: wait.example\r\n\(last)\(headers)\r\n"
            try await outbound.write(ByteBuffer(string: request))
            var reader = StreamReader(inbound.makeAsyncIterator())
            try await body(&reader)
        }
    }
}
