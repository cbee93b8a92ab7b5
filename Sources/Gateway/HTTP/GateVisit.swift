import Foundation
import HTTPTypes
import Hummingbird
import WaitingRoom

/// What a proxy tells of the request that it asks about.
struct GateVisit {
    /// How many of the request's passes are looked at: each costs a signature's check.
    private static let mostPasses = 4

    /// The path and query that the visitor asked the site for.
    private let target: String?
    private let host: String?
    /// The visitor's browser uses https.
    let isSecure: Bool
    private let cookies: [(name: String, value: String)]

    /// - Parameter assumesSecure: whether browsers use https where the proxy does not say.
    init(_ request: Request, assumesSecure: Bool) {
        target = request.headers[.originalURI] ?? request.headers[.forwardedURI]
        host = request.headers[.forwardedHost] ?? request.head.authority
        isSecure = request.headers[.forwardedProto].map { $0.lowercased() == "https" } ?? assumesSecure
        let pairs = request.headers[values: .cookie].flatMap { $0.split(separator: ";") }.map { pair in
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let (name, value) = (sides[0], sides.count > 1 ? sides[1] : "")
            return (name: name.trimmingCharacters(in: .whitespaces), value: value.trimmingCharacters(in: .whitespaces))
        }
        cookies = pairs.filter { $0.name == Self.cookie || $0.name.hasPrefix(Self.cookie + "_") }
    }

    /// The pass with which the visitor was sent back to the site.
    var passInAddress: String? {
        query.lazy.compactMap { $0.hasPrefix(Self.parameter) ? String($0.dropFirst(Self.parameter.count)) : nil }.first
    }

    /// The passes of the cookies, first those that may be of this queue by their names.
    func passesInCookies(for queue: Identifier) -> [String] {
        let own = [Self.cookie(of: queue), Self.cookie]
        let sorted = cookies.filter { own.contains($0.name) } + cookies.filter { !own.contains($0.name) }
        return sorted.prefix(Self.mostPasses).map(\.value)
    }

    /// The path and query without the pass; `nil` where the proxy does not tell, or it would lead to another host.
    var cleanTarget: String? {
        // Browsers drop tabs and take a backslash for a slash.
        guard let target, target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }), target.hasPrefix("/"),
            !target.hasPrefix("//")
        else { return nil }
        let path = target.prefix { $0 != "?" }
        let kept = query.filter { !$0.hasPrefix(Self.parameter) }
        return kept.isEmpty ? String(path) : "\(path)?\(kept.joined(separator: "&"))"
    }

    /// The address that the visitor asked for, without the pass.
    var cleanAddress: String? {
        guard let host, let cleanTarget else { return nil }
        return "\(isSecure ? "https" : "http")://\(host)\(cleanTarget)"
    }

    /// The cookie for a queue's pass: another where the usual one holds a good pass of another queue of the same site.
    func cookieName(for queue: Identifier, passes: PassSigner) -> String {
        let usual = cookies.first { $0.name == Self.cookie }.flatMap { passes.verify($0.value) }
        return usual == nil || usual?.queue == queue ? Self.cookie : Self.cookie(of: queue)
    }

    private static let cookie = "queue_pass"
    private static let parameter = "queue_pass="

    /// The name of the cookie of a queue that shares a site with others.
    private static func cookie(of queue: Identifier) -> String { "\(cookie)_\(queue.compact)" }

    private var query: [Substring] {
        guard let start = target?.firstIndex(of: "?"), let target else { return [] }
        return target[target.index(after: start)...].split(separator: "&")
    }
}
