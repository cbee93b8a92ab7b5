import Foundation

/// What the contract asks of addresses that tenants and visitors hand in.
package enum WebURL {
    /// Whether `text` is an absolute http or https URL, as ``host(of:)`` reads it, of no other characters than URIs have (RFC 3986).
    package static func isAbsolute(_ text: String) -> Bool {
        !text.utf8.contains { "\"<>^`{|}".utf8.contains($0) } && host(of: text) != nil
    }

    /// The lower-case host of an absolute http(s) URL with an ASCII host, without a user and password, and without anything that a browser
    /// would read differently (white space, control characters, backslashes, escapes in the host); `nil` for anything else.
    package static func host(of text: String) -> String? {
        let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }
        guard isPlain, text.utf8.count <= 2048, let components = URLComponents(string: text),
            let scheme = components.scheme?.lowercased(), scheme == "http" || scheme == "https",
            components.user == nil, components.password == nil, let host = components.encodedHost, !host.isEmpty,
            !host.contains("%"),
            (0...65_535).contains(components.port ?? 0),
            text.lowercased().hasPrefix("\(scheme)://")
        else { return nil }
        return host.lowercased()
    }

    /// Whether `text` is an absolute http(s) URL whose host is one of `hosts` or below one of them. A port in `hosts` is not compared.
    package static func isAllowed(_ text: String, hosts: [String]) -> Bool {
        guard let host = host(of: text) else { return false }
        return hosts.contains { entry in
            let allowed = bareHost(entry)
            return !allowed.isEmpty && (host == allowed || (host.hasSuffix("." + allowed) && !isAddress(allowed)))
        }
    }

    /// `Example.com:8080` → `example.com`; a domain may have been entered as a URL.
    private static func bareHost(_ entry: String) -> String {
        if let host = host(of: entry) { return host }
        let lower = entry.lowercased()
        return lower.hasPrefix("[") ? lower : String(lower.split(separator: ":", maxSplits: 1).first ?? "")
    }

    private static func isAddress(_ host: String) -> Bool {
        host.hasPrefix("[") || host.allSatisfy { $0.isNumber || $0 == "." }
    }
}
