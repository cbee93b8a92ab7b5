import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import Mustache
import WaitingRoom

/// What browsers are given: scripts, styles, page templates and the words of each language, all built into the program.
struct WebAssets: Sendable {
    enum Page: String, Sendable, CaseIterable {
        case wait, walkIn, error, docs
        case admin, adminSignIn, adminFailure, adminOverview, adminQueue, adminPerson, adminCallbacks, adminApplications, adminUsers,
            adminAudit

        fileprivate var template: [UInt8] {
            switch self {
            case .wait: PackageResources.wait_mustache
            case .walkIn: PackageResources.walk_in_mustache
            case .error: PackageResources.error_mustache
            case .docs: PackageResources.docs_mustache
            case .admin: PackageResources.admin_mustache
            case .adminSignIn: PackageResources.admin_sign_in_mustache
            case .adminFailure: PackageResources.admin_failure_mustache
            case .adminOverview: PackageResources.admin_overview_mustache
            case .adminQueue: PackageResources.admin_queue_mustache
            case .adminPerson: PackageResources.admin_person_mustache
            case .adminCallbacks: PackageResources.admin_callbacks_mustache
            case .adminApplications: PackageResources.admin_applications_mustache
            case .adminUsers: PackageResources.admin_users_mustache
            case .adminAudit: PackageResources.admin_audit_mustache
            }
        }
    }

    private let templates: [Page: MustacheTemplate]
    private let queueScript: String

    /// The words of one language, by key.
    struct Catalogue: Sendable {
        let words: [String: String]

        /// - Parameter file: one JSON object of texts. A test reads every file.
        init(_ file: [UInt8]) {
            guard case .object(let members)? = try? JSONScanner.scan(file) else { preconditionFailure("a catalogue is no JSON object") }
            words = Dictionary(members.map { ($0.key, $0.value.string ?? "") }) { first, _ in first }
        }

        var language: String { words["lang"] ?? "en" }
        var direction: String { words["dir"] ?? "ltr" }
        /// What the language calls itself.
        var name: String { words["name"] ?? language }
    }

    init() throws {
        templates = Dictionary(
            uniqueKeysWithValues: try Page.allCases.map { ($0, try MustacheTemplate(string: Self.text($0.template))) })
        queueScript = Self.queueParts.reduce(Self.text(PackageResources.queue_js)) { script, part in
            script.replacing("// @include \(part.name)\n", with: part.text)
        }
    }

    /// The files that queue.js takes in, each where it says `// @include <name>`: what browsers load is one script.
    static let queueParts: [(name: String, text: String)] = [
        ("style", text(PackageResources.style_js)), ("keepsake", text(PackageResources.keepsake_js)),
        ("failure", text(PackageResources.failure_js)), ("push", text(PackageResources.push_js)),
        ("wording", text(PackageResources.wording_js)), ("times", text(PackageResources.times_js)),
        ("challenge", text(PackageResources.challenge_js)), ("screen", text(PackageResources.screen_js)),
        ("narrator", text(PackageResources.narrator_js)),
    ]

    /// The languages there are, English first. A language is a file of `Web`, and its name here.
    static let languages: [Catalogue] = [PackageResources.en_json, PackageResources.ar_json].map(Catalogue.init)

    /// Their codes.
    static let languageCodes = languages.map(\.language)

    /// The schema of a language's code.
    static let languageSchema: JSON = ["type": "string", "enum": .array(languageCodes.map(JSON.string))]

    /// The words of `language`, or of English.
    func catalogue(_ language: String) -> Catalogue { Self.languages.first { $0.language == language } ?? Self.languages[0] }

    func knows(_ language: String) -> Bool { Self.languageCodes.contains(language) }

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
    static let adminScript = text(PackageResources.admin_js)
    static let styles = text(PackageResources.anteroom_css)
    static let adminStyles = text(PackageResources.admin_css)

    /// A part of a page.
    func render(_ page: Page, _ context: [String: Any]) -> String { templates[page]?.render(context) ?? "" }

    /// A page, with the headers that keep everything foreign out of it.
    func page(_ page: Page, _ context: [String: Any], status: HTTPResponse.Status = .ok) -> Response {
        var response = Response.text(render(page, context), type: "text/html; charset=utf-8")
        response.status = status
        response.headers[.contentSecurityPolicy] = Self.contentSecurityPolicy(of: page)
        response.headers[.cacheControl] = "no-store"
        response.headers[.referrerPolicy] = "no-referrer"
        return response
    }

    private static func contentSecurityPolicy(of page: Page) -> String {
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
            + (page == .wait ? "worker-src blob:; " : "") + "form-action \(page == .admin ? "'self'" : "'none'"); frame-ancestors 'none'"
    }

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
