import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import WaitingRoom

/// Makes one attempt to deliver a callback.
struct CallbackSender: Sendable {
    /// How an attempt ended.
    enum Ending: Equatable, Sendable {
        case delivered(status: Int)
        /// `retryAfter` is what the receiver asked for; `isFinal`: it wants no more of them.
        case failed(error: String, status: Int?, retryAfter: Duration?, isFinal: Bool)
    }

    let addresses: AddressGuard
    let clients: CallbackClients
    let timeoutSeconds: Int

    /// The longest answer that is read; it says nothing more, but reading it keeps the connection for the next callback.
    private static let longestAnswer = 64 << 10
    /// How long its body is waited for.
    private static let slowestAnswer = Duration.milliseconds(500)

    /// Posts `body` to `url`. Any 2xx within the time limit is success; redirects are not followed.
    func send(_ body: String, to url: String, headers: [(name: String, value: String)]) async -> Ending {
        // The client reads the address in the same way, and so connects to what was checked.
        guard let parsed = URL(string: url), ["http", "https"].contains(parsed.scheme?.lowercased()), let host = parsed.host, !host.isEmpty
        else { return failure("the address is not an http or https URL") }
        do {
            return try await withThrowingTaskGroup(of: Ending.self) { group in
                group.addTask { try await attempt(body, to: url, host: host, headers: headers) }
                group.addTask {
                    try await Task.sleep(for: .seconds(timeoutSeconds))
                    return failure("timed out after \(timeoutSeconds) s")
                }
                defer { group.cancelAll() }
                return try await group.next() ?? failure("cancelled")
            }
        } catch AddressGuard.Refusal.privateAddress {
            return failure("the address is not a public one (CALLBACK_ALLOW_PRIVATE)")
        } catch AddressGuard.Refusal.unknownHost {
            return failure("the host is not known")
        } catch let error as HTTPClientError {
            return failure(error.shortDescription)
        } catch {
            return failure(Self.reason(error))
        }
    }

    /// Tries the host's addresses in the resolver's order until one takes the connection: `localhost` has two, and often one listener.
    private func attempt(_ body: String, to url: String, host: String, headers: [(name: String, value: String)]) async throws -> Ending {
        var left = try await addresses.resolve(host)[...]
        while true {
            let address = left.removeFirst()
            do {
                return try await clients.with(host: host, address: address) { try await post(body, to: url, headers: headers, by: $0) }
            } catch  where !left.isEmpty && Self.isFailureToConnect(error) {}
        }
    }

    private func post(_ body: String, to url: String, headers: [(name: String, value: String)], by client: HTTPClient) async throws
        -> Ending
    {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers = HTTPHeaders(headers.map { ($0.name, $0.value) })
        request.headers.replaceOrAdd(name: "Content-Type", value: "application/json")
        request.headers.replaceOrAdd(name: "User-Agent", value: "Anteroom/\(anteroomVersion)")
        request.body = .bytes(ByteBuffer(string: body))
        // The time limit is that of `send`; the client's own must not come first.
        let response = try await client.execute(request, timeout: .seconds(Int64(timeoutSeconds) + 1))
        await finish(response)
        let status = Int(response.status.code)
        if (200..<300).contains(status) { return .delivered(status: status) }
        let asked = status == 429 || status == 503 ? response.headers.first(name: "Retry-After") : nil
        return .failed(error: "HTTP \(status)", status: status, retryAfter: asked.flatMap(Self.pause), isFinal: status == 410)
    }

    /// Reads what follows an answer's head, unless it is long, of unknown length (some never end), or slow to come.
    private func finish(_ response: HTTPClientResponse) async {
        guard let length = response.headers.first(name: "Content-Length").flatMap({ Int($0) }), length <= Self.longestAnswer else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = try? await response.body.collect(upTo: Self.longestAnswer) }
            group.addTask { try? await Task.sleep(for: Self.slowestAnswer) }
            await group.next()
            group.cancelAll()
        }
    }

    private func failure(_ error: String) -> Ending { .failed(error: error, status: nil, retryAfter: nil, isFinal: false) }

    /// Reads `Retry-After`: seconds or an HTTP date (RFC 9110, 10.2.3).
    private static func pause(_ asked: String) -> Duration? {
        if let seconds = Int(asked) { return .seconds(max(0, seconds)) }
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
        return format.date(from: asked).map { .seconds(max(0, $0.timeIntervalSinceNow)) }
    }

    /// Whether there was no connection, so that nothing was sent.
    private static func isFailureToConnect(_ error: any Error) -> Bool {
        if let error = error as? HTTPClientError { return error == .connectTimeout }
        if let error = error as? IOError { return [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT].contains(error.errnoCode) }
        return error is NIOConnectionError
    }

    /// A few words about a failure, without the address, which may hold a secret in its query.
    private static func reason(_ error: any Error) -> String {
        if let error = error as? NIOConnectionError { return error.connectionErrors.first.map { reason($0.error) } ?? "could not connect" }
        if let error = error as? IOError { return String(cString: strerror(error.errnoCode)).lowercased() }
        // The library is the HTTP client's own: its types are known by name alone.
        if "\(type(of: error))".hasPrefix("NIOSSL") { return "no TLS: the certificate is not valid, not trusted, or of another name" }
        return "could not be sent (\(type(of: error)))"
    }
}
