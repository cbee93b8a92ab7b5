import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import TestSupport
import Testing
import WaitingRoom

@testable import Releaser

@Suite("CallbackSender")
struct CallbackSenderTests {
    /// Sends one callback to `path` of a website that answers by `answer`.
    private func ending(
        host: String = "127.0.0.1", path: String = "/", timeoutSeconds: Int = 10, allowsPrivate: Bool = true,
        answer: @Sendable @escaping (Request) async throws -> Response
    ) async throws -> CallbackSender.Ending {
        try await withWebsite(answer: answer) { port in
            try await send(to: "http://\(host):\(port)\(path)", timeoutSeconds: timeoutSeconds, allowsPrivate: allowsPrivate)
        }
    }

    private func send(to url: String, timeoutSeconds: Int = 10, allowsPrivate: Bool = true) async throws -> CallbackSender.Ending {
        try await send(to: url, timeoutSeconds: timeoutSeconds, addresses: AddressGuard(allowsPrivate: allowsPrivate))
    }

    private func send(to url: String, timeoutSeconds: Int = 10, addresses: AddressGuard) async throws -> CallbackSender.Ending {
        let clients = CallbackClients(timeoutSeconds: timeoutSeconds)
        let sender = CallbackSender(addresses: addresses, clients: clients, timeoutSeconds: timeoutSeconds)
        let ending = await sender.send("{\"a\":1}", to: url, headers: [("webhook-id", "msg_1")])
        await clients.shutdown()
        return ending
    }

    private func failed(_ error: String, status: Int? = nil, retryAfter: Duration? = nil, isFinal: Bool = false) -> CallbackSender.Ending {
        .failed(error: error, status: status, retryAfter: retryAfter, isFinal: isFinal)
    }

    @Test("what arrives is the body as JSON, under the headers given")
    func arrives() async throws {
        let got = Locked<[String?]>([])
        let ending = try await ending(path: "/in?key=1") { request in
            let body = String(buffer: try await request.body.collect(upTo: 1000))
            got.set([
                request.uri.description, request.headers[.contentType], request.headers[.userAgent],
                HTTPField.Name("webhook-id").flatMap { request.headers[$0] }, body,
            ])
            return Response(status: .noContent)
        }
        #expect(ending == .delivered(status: 204))
        #expect(got.get() == ["/in?key=1", "application/json", "Anteroom/\(anteroomVersion)", "msg_1", "{\"a\":1}"])
    }

    @Test("redirects are failures, and nobody follows them")
    func redirect() async throws {
        let calls = Locked(0)
        let ending = try await ending { _ in
            calls.update { $0 += 1 }
            return Response(status: .temporaryRedirect, headers: [.location: "/elsewhere"])
        }
        #expect(ending == failed("HTTP 307", status: 307))
        #expect(calls.get() == 1)
    }

    @Test("410 is final; 429 and 503 say when to come back, in seconds or as a date")
    func statuses() async throws {
        #expect(try await ending { _ in Response(status: .gone) } == failed("HTTP 410", status: 410, isFinal: true))
        #expect(
            try await ending { _ in Response(status: .tooManyRequests, headers: [.retryAfter: "120"]) }
                == failed("HTTP 429", status: 429, retryAfter: .seconds(120)))
        #expect(
            try await ending { _ in Response(status: .serviceUnavailable, headers: [.retryAfter: "soon"]) }
                == failed("HTTP 503", status: 503))
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = .gmt
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        let date = format.string(from: Date(timeIntervalSinceNow: 300))
        let dated = try await ending { _ in Response(status: .serviceUnavailable, headers: [.retryAfter: date]) }
        guard case .failed(_, _, let pause?, _) = dated else { throw Unexpected(ending: dated) }
        #expect(pause > .seconds(200) && pause <= .seconds(301))
    }

    @Test("an answer whose body never ends is delivered by its head")
    func endless() async throws {
        let ending = try await ending { _ in
            Response(
                status: .ok,
                body: ResponseBody { writer in
                    try await writer.write(ByteBuffer(string: "…"))
                    try await Task.sleep(for: .seconds(60))
                })
        }
        #expect(ending == .delivered(status: 200))
    }

    @Test("a receiver that hangs is given up after the time limit")
    func hanging() async throws {
        let ending = try await ending(timeoutSeconds: 1) { _ in
            try await Task.sleep(for: .seconds(60))
            return Response(status: .ok)
        }
        #expect(ending == failed("timed out after 1 s"))
    }

    @Test("nobody listens: said in words, without the address")
    func refused() async throws {
        let port = try await withWebsite(answer: { _ in Response(status: .ok) }, { $0 })
        #expect(try await send(to: "http://127.0.0.1:\(port)/?secret=1") == failed("connection refused"))
    }

    @Test("a host is tried at each of its addresses until one takes the connection")
    func severalAddresses() async throws {
        let lookup = HostLookup { _ in [2, 1].map { IPAddress(bytes: [127, 0, 0, $0]) } }
        let ending = try await withWebsite(answer: { _ in Response(status: .ok) }) { port in
            try await send(to: "http://shop.example:\(port)/", addresses: AddressGuard(allowsPrivate: true, lookup: lookup))
        }
        #expect(ending == .delivered(status: 200))
    }

    @Test(
        "an internal address is not called, however it is written",
        arguments: [
            "127.0.0.1", "localhost", "LOCALHOST", "localhost.", "2130706433", "0x7f.1", "0177.1", "127.1", "[::ffff:127.0.0.1]",
            "%31%32%37.0.0.1", "１２７.0.0.1", "127。0。0。1",
        ])
    func internalAddress(host: String) async throws {
        let calls = Locked(0)
        let ending = try await ending(host: host, allowsPrivate: false) { _ in
            calls.update { $0 += 1 }
            return Response(status: .ok)
        }
        if case .delivered = ending { Issue.record("it was delivered") }
        #expect(calls.get() == 0)
    }

    @Test(
        "only http and https",
        arguments: ["unix:///run/x.sock", "http+unix://%2Frun%2Fx.sock/", "file:///etc/passwd", "no url", "http://"])
    func scheme(url: String) async throws {
        #expect(try await send(to: url) == failed("the address is not an http or https URL"))
    }

    private struct Unexpected: Error {
        let ending: CallbackSender.Ending
    }
}
