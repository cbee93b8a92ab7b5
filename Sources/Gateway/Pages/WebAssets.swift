import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import Mustache
import WaitingRoom

/// What browsers are given: scripts, styles, page templates and the words of each language, all built into the program.
struct WebAssets: Sendable {
    enum Page: String, Sendable, CaseIterable { case wait, walkIn, error, docs }

    private let templates: [Page: MustacheTemplate]
    private let catalogues: [String: Catalogue]
    private let queueScript: String

    /// The words of one language, by key.
    struct Catalogue: Sendable {
        let words: [String: String]

        var language: String { words["lang"] ?? "en" }
        var direction: String { words["dir"] ?? "ltr" }
        /// What the language calls itself.
        var name: String { words["name"] ?? language }
    }

    init() throws {
        templates = [
            .wait: try MustacheTemplate(string: Self.text(PackageResources.wait_mustache)),
            .walkIn: try MustacheTemplate(string: Self.text(PackageResources.walk_in_mustache)),
            .error: try MustacheTemplate(string: Self.text(PackageResources.error_mustache)),
            .docs: try MustacheTemplate(string: Self.text(PackageResources.docs_mustache)),
        ]
        queueScript = Self.text(PackageResources.queue_js)
        var catalogues: [String: Catalogue] = [:]
        for bytes in [PackageResources.en_json, PackageResources.ar_json] {
            guard case .object(let members) = try JSONScanner.scan(bytes) else { continue }
            let words = Dictionary(uniqueKeysWithValues: members.map { ($0.key, $0.value.string ?? "") })
            let catalogue = Catalogue(words: words)
            catalogues[catalogue.language] = catalogue
        }
        self.catalogues = catalogues
    }

    /// The languages there are, English first.
    var languages: [Catalogue] {
        catalogues.values.sorted { ($0.language == "en" ? "" : $0.language) < ($1.language == "en" ? "" : $1.language) }
    }

    /// The words of `language`, or of English.
    func catalogue(_ language: String) -> Catalogue { catalogues[language] ?? catalogues["en"]! }

    func knows(_ language: String) -> Bool { catalogues[language] != nil }

    /// queue.js with `settings` and the words of its language built in.
    func script(_ settings: [JSON.Member], language: String) -> String {
        let words = catalogue(language).words.filter { $0.key.hasPrefix("widget_") }.sorted { $0.key < $1.key }
        let messages = JSON.Member("messages", .object(words.map { JSON.Member($0.key, .string($0.value)) }))
        let dir = JSON.Member("dir", .string(catalogue(language).direction))
        return queueScript.replacing("/*@config*/null", with: Self.scriptSafe(.object(settings + [dir, messages])), maxReplacements: 1)
    }

    static let waitScript = text(PackageResources.wait_js)
    static let docsScript = text(PackageResources.docs_js)
    /// The modules of a walk-in line's pages, by name.
    static let walkInScripts = [
        "walk_in": text(PackageResources.walk_in_js), "admin_key": text(PackageResources.admin_key_js),
        "place": text(PackageResources.place_js), "kiosk": text(PackageResources.kiosk_js), "desk": text(PackageResources.desk_js),
    ]
    static let styles = text(PackageResources.anteroom_css)

    /// A page, with the headers that keep everything foreign out of it.
    func page(_ page: Page, _ context: [String: Any], status: HTTPResponse.Status = .ok) -> Response {
        let html = templates[page]?.render(context) ?? ""
        var response = Response.text(html, type: "text/html; charset=utf-8")
        response.status = status
        response.headers[.contentSecurityPolicy] = Self.contentSecurityPolicy
        response.headers[.cacheControl] = "no-store"
        response.headers[.referrerPolicy] = "no-referrer"
        return response
    }

    private static let contentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'"

    /// JSON that stays one literal inside a script, whatever the texts hold.
    static func scriptSafe(_ value: JSON) -> String {
        value.text.replacing("<", with: "\\u003c").replacing("\u{2028}", with: "\\u2028").replacing("\u{2029}", with: "\\u2029")
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}

extension Response {
    /// A static text with an entity tag (RFC 9110, section 8.8.3): 304 when the client has it already.
    static func cached(_ text: String, type: String, for request: Request, seconds: Int) -> Response {
        let tag = "\"\(Base64URL.encode(Array(SHA256.hash(data: Array(text.utf8)).prefix(12))))\""
        let headers: HTTPFields = [.eTag: tag, .cacheControl: "public, max-age=\(seconds)"]
        let known = request.headers[.ifNoneMatch]?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } ?? []
        if known.contains(tag) || known.contains("*") || known.contains("W/\(tag)") {
            return Response(status: .notModified, headers: headers)
        }
        return .text(text, type: type, headers: headers)
    }
}
