import Foundation
import HTTPTypes
import Hummingbird
import Logging
import WaitingRoom

/// One look at a page of the dashboard: who looks, in which language, and what its frame is filled with.
struct AdminVisit: Sendable {
    private static let languageCookie = "anteroom_lang"

    let room: Room
    let request: Request
    let context: GatewayContext
    /// `nil` for who has not signed in.
    let caller: Caller?
    let catalogue: WebAssets.Catalogue

    init(room: Room, request: Request, context: GatewayContext, caller: Caller?) {
        self.room = room
        self.request = request
        self.context = context
        self.caller = caller
        catalogue = room.assets.catalogue(Self.language(request))
    }

    /// The language that the address asks for, else the one chosen last, else the browser's first that there is.
    private static func language(_ request: Request) -> String {
        let wanted = (request.headers[.acceptLanguage] ?? "").split(separator: ",").map { String($0.prefix { $0 != "-" && $0 != ";" }) }
        let asked = request.uri.queryParameters["lang"].map(String.init)
        let candidates = [asked, request.cookies[languageCookie]?.value].compactMap { $0 } + wanted
        return candidates.lazy.map { $0.trimmingCharacters(in: .whitespaces) }.first { WebAssets.languageCodes.contains($0) } ?? "en"
    }

    /// The words for `key`, with `{name}` and so on filled in.
    func say(_ key: String, _ values: [String: String] = [:]) -> String {
        values.reduce(catalogue.words[key] ?? "") { $0.replacing("{\($1.key)}", with: $1.value) }
    }

    /// Whether who looks may change things of applications.
    var canManage: Bool { caller.map { $0.role >= .tenantAdmin } ?? false }
    var isSuperAdmin: Bool { caller?.role == .superAdmin }

    /// - Parameters:
    ///   - current: the part of the navigation that the page belongs to.
    ///   - back: a page that this one is below of.
    func page(
        _ template: WebAssets.Page, title: String, current: String = "", back: (href: String, label: String)? = nil,
        status: HTTPResponse.Status = .ok, _ values: [String: Any]
    ) -> Response {
        var values = values
        values["t"] = catalogue.words
        values["title"] = title
        values["canManage"] = canManage
        var frame: [String: Any] = [
            "lang": catalogue.language, "dir": catalogue.direction, "t": catalogue.words, "title": title,
            "styleURL": "/styles/anteroom.css", "body": room.assets.render(template, values), "languages": languages,
            "configJSON": WebAssets.scriptSafe([
                "lang": .string(catalogue.language), "signedIn": .bool(caller != nil),
                "words": .object(Self.scriptWords.map { JSON.Member($0, .string(say($0))) }),
            ]),
        ]
        if let caller {
            frame["email"] = caller.name
            frame["nav"] = navigation(current)
        }
        if let back { frame["back"] = ["href": back.href, "label": back.label] }
        var response = room.assets.page(.admin, frame, status: status)
        if request.uri.queryParameters["lang"] != nil {
            let cookie = Cookie(
                name: Self.languageCookie, value: catalogue.language, maxAge: 31_536_000, path: "/admin",
                secure: room.configuration.publicURL.hasPrefix("https:"), httpOnly: true, sameSite: .lax)
            response.headers[.setCookie] = cookie.description
        }
        return response
    }

    /// What went wrong. Who has not signed in is asked to, on the page they wanted.
    func failure(_ error: any Error) -> Response {
        let failure = GatewayError(error)
        if failure.status == .internalServerError {
            context.logger.error("A page of the dashboard failed", metadata: ["error": "\(error)"])
        }
        if failure.status == .unauthorized { return page(.adminSignIn, title: say("admin_sign_in"), status: .unauthorized, [:]) }
        let known = ["forbidden": "admin_failure_forbidden", "rate_limited": "admin_failure_limited", "unavailable": "admin_failure_redis"]
        let fallback = failure.status == .notFound ? "admin_failure_missing" : "admin_failure_unknown"
        return page(
            .adminFailure, title: say("admin_failure"), status: failure.status,
            ["text": say(known[failure.code] ?? fallback), "requestID": context.requestID])
    }

    private static let scriptWords = [
        "admin_api_key", "admin_kept", "admin_lost", "admin_saved", "admin_secret_key", "admin_shown_once", "admin_unreachable",
    ]

    private var languages: [[String: Any]] {
        WebAssets.languages.map { language in
            let kept = query.filter { $0.key != "lang" } + [(key: "lang", value: language.language)]
            return [
                "code": language.language, "name": language.name, "current": language.language == catalogue.language,
                "href": "?" + Self.encoded(kept),
            ]
        }
    }

    /// The address's own query.
    private var query: [(key: String, value: String)] { request.uri.queryParameters.map { (String($0.key), String($0.value)) } }

    static func encoded(_ query: [(key: String, value: String)]) -> String {
        query.map { "\(FormText.encode($0.key))=\(FormText.encode($0.value))" }.joined(separator: "&")
    }

    private func navigation(_ current: String) -> [[String: Any]] {
        let parts = [
            ("overview", "/admin"), ("callbacks", "/admin/callbacks"), ("applications", "/admin/applications"), ("users", "/admin/users"),
            ("audit", "/admin/audit"),
        ]
        return parts.map { ["href": $1, "label": say("admin_\($0)"), "current": $0 == current] }
    }
}

extension Duration {
    /// As a clock shows it.
    var onClock: String { Chart.clock(seconds: Double(milliseconds) / 1000) }
}
