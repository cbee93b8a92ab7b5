import Foundation
import HTTPTypes
import Hummingbird
import WaitingRoom

/// The pages of a walk-in line.
enum WalkInPage: String, Sendable {
    case place, kiosk, desk
}

/// Fills the page templates for one request.
struct Pages {
    let assets: WebAssets
    let request: Request
    let requestID: String

    func wait(queue: Queue, tenant: Tenant, returnTo: String?) -> Response {
        let catalogue = catalogue(fallback: queue.language)
        let theme = theme(fallback: queue.theme)
        var context = shared(catalogue, theme: theme)
        context["title"] = queue.name
        context["queueName"] = queue.name
        context["scriptURL"] = "/scripts/queue.js?app_id=\(tenant.id)&lang=\(catalogue.language)&theme=\(theme)"
        context["configJSON"] = WebAssets.scriptSafe([
            "apiKey": .string(tenant.apiKey), "queueId": .string(queue.id.description), "returnTo": .optional(returnTo),
            "lang": .string(catalogue.language), "theme": .string(theme),
        ])
        return assets.page(.wait, context)
    }

    /// - Parameter address: of the public page.
    func walkIn(_ page: WalkInPage, queue: Queue, tenant: Tenant, address: String) -> Response {
        let catalogue = catalogue(fallback: queue.language)
        var context = shared(catalogue, theme: theme(fallback: queue.theme))
        let kind = catalogue.words[page == .place ? "line_kind" : "\(page.rawValue)_kind"] ?? ""
        context["title"] = page == .place ? queue.name : "\(queue.name) · \(kind)"
        context["kind"] = kind
        context["queueName"] = queue.name
        context["page"] = page.rawValue
        context["scriptURL"] = "/scripts/\(page.rawValue).js"
        let words = catalogue.words.filter { key, _ in
            ["line_", "place_type_none", "desk_", "kiosk_", "widget_minutes_", "widget_hours_", "widget_time_", page.rawValue + "_"]
                .contains {
                    key.hasPrefix($0)
                }
        }
        context["configJSON"] = WebAssets.scriptSafe([
            "tenant": .string(tenant.slug), "queue": .string(queue.slug), "name": .string(queue.name),
            "lang": .string(catalogue.language), "isPublic": .bool(queue.isPublic), "address": .string(address),
            "words": .object(words.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }),
        ])
        return assets.page(.walkIn, context)
    }

    /// A page for what went wrong; `problem` names its words, `page_error_<problem>_title` and so on.
    /// - Parameter queue: in whose language and theme it is where the address names none.
    func error(_ status: HTTPResponse.Status, _ problem: String, of queue: Queue? = nil) -> Response {
        let catalogue = catalogue(fallback: queue?.language ?? "en")
        var context = shared(catalogue, theme: theme(fallback: queue?.theme ?? "light"))
        for part in ["title", "text", "advice"] { context[part] = catalogue.words["page_error_\(problem)_\(part)"] ?? "" }
        context["status"] = status.code
        context["requestID"] = requestID
        let retries = status == .serviceUnavailable
        if retries { context["retrySeconds"] = 5 }
        var response = assets.page(.error, context, status: status)
        if retries { response.headers[.retryAfter] = "5" }
        return response
    }

    private func shared(_ catalogue: WebAssets.Catalogue, theme: String) -> [String: Any] {
        [
            "lang": catalogue.language, "dir": catalogue.direction, "theme": theme, "t": catalogue.words,
            "styleURL": "/styles/anteroom.css",
            "languages": WebAssets.languages.map { language -> [String: Any] in
                ["code": language.language, "name": language.name, "current": language.language == catalogue.language]
            },
        ]
    }

    /// The words of the language asked for in the address, else of the queue's own.
    private func catalogue(fallback: String) -> WebAssets.Catalogue {
        let asked = request.uri.queryParameters["lang"].map(String.init)
        return assets.catalogue(asked.flatMap { assets.knows($0) ? $0 : nil } ?? fallback)
    }

    private func theme(fallback: String) -> String {
        let asked = request.uri.queryParameters["theme"].map(String.init)
        return asked.flatMap { ["light", "dark", "auto"].contains($0) ? $0 : nil } ?? fallback
    }
}
