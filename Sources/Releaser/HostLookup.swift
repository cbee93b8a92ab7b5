import Glibc
import NIOPosix
import Synchronization
import WaitingRoom

/// Asks the system's resolver for the addresses of hosts, on threads of its own and for each host once at a time: a name server that keeps
/// silent about one host takes one thread, however many callbacks are owed there.
final class HostLookup: Sendable {
    private static let threads = NIOThreadPool._makePerpetualStartedPool(numberOfThreads: 16, threadNamePrefix: "lookup")

    private let underWay = Mutex<[String: Task<[IPAddress], Never>]>([:])

    private let ask: @Sendable (String) -> [IPAddress]

    /// - Parameter ask: finds the addresses of a host, for as long as that takes; by default asks the system's resolver.
    init(ask: @escaping @Sendable (String) -> [IPAddress] = HostLookup.askSystem) { self.ask = ask }

    /// The addresses of `host`, in the order in which to try them; none when there is no such host, and when the task is cancelled.
    func addresses(of host: String) async -> [IPAddress] {
        let lookup = underWay.withLock { underWay in
            if let running = underWay[host] { return running }
            let lookup = Task {
                let found = try? await Self.threads.runIfActive { self.ask(host) }
                self.underWay.withLock { _ = $0.removeValue(forKey: host) }
                return found ?? []
            }
            underWay[host] = lookup
            return lookup
        }
        // The resolver cannot be told to stop, and a task's value is awaited to its end: by way of a stream one can give up waiting.
        let (answers, answer) = AsyncStream<[IPAddress]>.makeStream()
        Task {
            answer.yield(await lookup.value)
            answer.finish()
        }
        return await answers.first { _ in true } ?? []
    }

    static func askSystem(_ host: String) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        return sequence(first: list, next: { $0?.pointee.ai_next }).compactMap { info -> IPAddress? in
            guard let info, let address = info.pointee.ai_addr else { return nil }
            let raw = UnsafeRawPointer(address)
            switch info.pointee.ai_family {
            case AF_INET:
                return IPAddress(bytes: withUnsafeBytes(of: raw.load(as: sockaddr_in.self).sin_addr, Array.init))
            case AF_INET6:
                return IPAddress(bytes: withUnsafeBytes(of: raw.load(as: sockaddr_in6.self).sin6_addr, Array.init))
            default: return nil
            }
        }
    }
}
