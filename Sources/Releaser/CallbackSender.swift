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
        case delivered
        /// `retryAfter` is what the receiver asked for; `isFinal`: it wants no more of them.
        case failed(error: String, status: Int?, retryAfter: Duration?, isFinal: Bool)
    }

    let addresses: AddressGuard
    let clients: CallbackClients
    let timeoutSeconds: Int

    /// Posts `body` to `url`. Any 2xx within the time limit is success; redirects are not followed.
    func send(_ body: String, to url: String, headers: [(name: String, value: String)]) async -> Ending {
        guard let host = URLComponents(string: url)?.host else { return failure("the address is not a URL") }
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

    private func attempt(_ body: String, to url: String, host: String, headers: [(name: String, value: String)]) async throws -> Ending {
        let address = try await addresses.resolve(host)
        return try await clients.with(host: host, address: address) { client in
            var request = HTTPClientRequest(url: url)
            request.method = .POST
            request.headers = HTTPHeaders(headers.map { ($0.name, $0.value) })
            request.headers.replaceOrAdd(name: "Content-Type", value: "application/json")
            request.headers.replaceOrAdd(name: "User-Agent", value: "Anteroom/\(anteroomVersion)")
            request.body = .bytes(ByteBuffer(string: body))
            // What follows the head is not read: it says nothing more, and some receivers never end it.
            let response = try await client.execute(request, timeout: .seconds(Int64(timeoutSeconds)))
            let status = Int(response.status.code)
            if (200..<300).contains(status) { return .delivered }
            let asked = status == 429 || status == 503 ? response.headers.first(name: "Retry-After").flatMap { Int($0) } : nil
            return .failed(error: "HTTP \(status)", status: status, retryAfter: asked.map { .seconds(max(0, $0)) }, isFinal: status == 410)
        }
    }

    private func failure(_ error: String) -> Ending { .failed(error: error, status: nil, retryAfter: nil, isFinal: false) }

    /// A few words about a failure, without the address, which may hold a secret in its query.
    private static func reason(_ error: any Error) -> String {
        if let error = error as? NIOConnectionError { return error.connectionErrors.first.map { reason($0.error) } ?? "could not connect" }
        if let error = error as? IOError { return String(cString: strerror(error.errnoCode)).lowercased() }
        return "could not be sent (\(type(of: error)))"
    }
}
