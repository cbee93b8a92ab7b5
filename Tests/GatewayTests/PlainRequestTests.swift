import Testing
import WaitingRoom

@testable import Gateway

@Suite("PlainRequest, PlainJoin")
struct PlainRequestTests {
    private func read(_ text: String) -> PlainRequest.Reading { Array(text.utf8).withUnsafeBufferPointer(PlainRequest.read) }

    private func request(_ text: String) throws -> PlainRequest {
        guard case .request(let request) = read(text) else { throw NotPlain(text: text) }
        return request
    }

    private struct NotPlain: Error { let text: String }

    @Test("tells where a request ends and what it says")
    func plain() throws {
        let head = """
            POST /join HTTP/1.1\r\nHOST:gateway\r\nContent-type:  application/json \t\r\nx-api-key: pk_1\r\nContent-Length: 12\r\n\
            Connection: Keep-Alive\r\nX-Forwarded-For: 192.0.2.1, 192.0.2.2\r\nIdempotency-Key: one\r\nX-Empty:\r\n\r\n
            """
        let request = try request(head + "{}GET / HTTP/1.1\r\n")
        #expect(request.method == .post && request.headLength == head.utf8.count && request.bodyLength == 12 && !request.isSpecial)
        func text(_ range: Range<Int>?) -> String? { range.map { String(decoding: Array(head.utf8)[$0], as: UTF8.self) } }
        #expect(text(request.target) == "/join" && text(request.contentType) == "application/json" && text(request.key) == "pk_1")
        #expect(text(request.forwardedFor) == "192.0.2.1, 192.0.2.2" && text(request.idempotencyKey) == "one")
        for method in ["GET", "POST", "PUT", "HEAD", "PATCH", "DELETE", "OPTIONS"] {
            #expect(try self.request("\(method) / HTTP/1.1\r\nHost: a\r\n\r\n").bodyLength == 0)
        }
    }

    @Test("every beginning of a request is incomplete")
    func incomplete() {
        let bytes = Array("GET /queue_status?token=abc HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\r\n".utf8)
        for length in 0..<bytes.count {
            guard case .incomplete = read(String(decoding: bytes[..<length], as: UTF8.self)) else {
                return #expect(Bool(false), "\(length)")
            }
        }
    }

    @Test(
        "what two programs may read differently is not plain",
        arguments: [
            "get / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\rX-B: c\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX-A: \u{0}\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX-A: \u{e9}\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nnothing\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\r",
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n",
        ])
    func unusual(_ text: String) {
        guard case .unusual = read(text) else { return #expect(Bool(false), "\(read(text))") }
    }

    @Test("a head without an end, or too long, is not plain")
    func long() {
        let line = "X-A: \(String(repeating: "b", count: 1000))\r\n"
        let head = "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: line, count: 9)
        guard case .unusual = read(head) else { return #expect(Bool(false)) }
        guard case .unusual = read(head + "\r\n") else { return #expect(Bool(false)) }
    }

    @Test("credentials of another kind, and fields that are there twice, are noted")
    func special() throws {
        for field in ["Authorization: Bearer x", "X-API-Key: a\r\napp_api_key: b", "Content-Type: a\r\nContent-Type: b"] {
            #expect(try request("POST /join HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n").isSpecial)
        }
    }

    private static let id = "0f8fad5b-d9cb-469f-a165-70867728950e"

    private func join(_ text: String) -> PlainJoin? { Array(text.utf8).withUnsafeBufferPointer(PlainJoin.init) }

    @Test("the body of a join is read in either order, with blanks")
    func joins() {
        let first = join(#"{"queue_id":"\#(Self.id)","visitor_id":"v 1"}"#)
        let second = join(" {\r\n\t\"visitor_id\" : \"v 1\" ,\n\"queue_id\" : \"\(Self.id.uppercased())\" } \n")
        for join in [first, second] { #expect(join?.queue.description == Self.id && join?.visitor == "v 1") }
    }

    @Test(
        "a body that holds anything else is left to others",
        arguments: [
            "", "{", "{}", "[]", #"{"queue_id":"\#(id)"}"#, #"{"queue_id":"\#(id)","visitor_id":"v"}}"#,
            #"{"queue_id":"\#(id)","visitor_id":"v","token":"t"}"#, #"{"queue_id":"\#(id)","visitor_id":""}"#,
            #"{"queue_id":"\#(id)","visitor_id":"\u0041"}"#, #"{"queue_id":"\#(id)","visitor_id":"é"}"#,
            #"{"queue_id":"\#(id)","visitor_id":7}"#, #"{"queue_id":"\#(id)","visitor_id":null}"#, #"{"queue_id":"x","visitor_id":"v"}"#,
            #"{"queue_id":"\#(id)","queue_id":"\#(id)"}"#, #"{"queue_id":"\#(id)" "visitor_id":"v"}"#,
            #"{"queue_id":"\#(id)","visitor_id":"v",}"#, #"{"queue_id":"\#(id)","visitor_id":"v"#,
        ])
    func others(_ text: String) { #expect(join(text) == nil) }
}
