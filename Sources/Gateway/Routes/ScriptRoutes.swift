import HTTPTypes
import Hummingbird
import WaitingRoom

/// The scripts and styles that pages load.
struct ScriptRoutes {
    let room: Room

    var routes: [Route] {
        [
            Route(
                .get, "/scripts/queue.js", access: .anyone,
                Operation(
                    tag: "Browser", summary: "The visitor's script, made for one application",
                    parameters: [
                        .init(name: "app_id", place: .query, schema: ["type": "string", "format": "uuid"]),
                        .init(
                            name: "callback_url", place: .query, schema: ["type": "string", "format": "uri"],
                            meaning: "On the application's domain"),
                        .init(name: "lang", place: .query, schema: WebAssets.languageSchema),
                        .init(name: "theme", place: .query, schema: ["type": "string", "enum": ["light", "dark", "auto"]]),
                    ], answer: ["type": "string"], answerType: "text/javascript", failures: [404, 422, 503]),
                handler: queueScript),
            Self.asset("/scripts/wait.js", "What drives the hosted waiting page", WebAssets.waitScript, type: "text/javascript"),
            Self.asset("/scripts/docs.js", "What drives the documentation page", WebAssets.docsScript, type: "text/javascript"),
            Self.walkIn("walk_in", "What the pages of a walk-in line share"),
            Self.walkIn("admin_key", "Asks for a desk's key"),
            Self.walkIn("place", "Drives the public page of a walk-in line"),
            Self.walkIn("kiosk", "Drives the screen of a walk-in line"),
            Self.walkIn("desk", "Drives the desk of a walk-in line"),
            Self.asset("/styles/anteroom.css", "The pages' styles", WebAssets.styles, type: "text/css"),
        ]
    }

    @Sendable func queueScript(_ request: Request, context: GatewayContext) async throws -> Response {
        var query = try request.queryFields()
        let application = query.optionalIdentifier("app_id")
        let callbackURL = query.optionalURL("callback_url")
        let language = query.choice("lang", of: WebAssets.languageCodes) ?? "en"
        let theme = query.choice("theme", of: ["light", "dark", "auto"]) ?? "light"
        try query.check()

        var settings: [JSON.Member] = []
        if let application {
            guard let tenant = try await room.tenants.recent(application), tenant.isActive else { throw GatewayError.applicationNotFound }
            if let callbackURL, !WebURL.isAllowed(callbackURL, hosts: [tenant.domain]) {
                throw GatewayError.invalid(
                    "callback_url", in: "query", type: "url_host", "Input should be on the application's domain",
                    input: .string(callbackURL))
            }
            settings.append(.init("apiKey", .string(tenant.apiKey)))
        }
        if let callbackURL { settings.append(.init("callbackUrl", .string(callbackURL))) }
        settings += [.init("lang", .string(language)), .init("theme", .string(theme))]
        return .cached(
            room.assets.script(settings, language: language), type: "text/javascript; charset=utf-8", for: request, seconds: 60)
    }

    private static func walkIn(_ name: String, _ summary: String) -> Route {
        asset("/scripts/\(name).js", summary, WebAssets.walkInScripts[name] ?? "", type: "text/javascript")
    }

    static func asset(_ path: String, _ summary: String, _ text: String, type: String) -> Route {
        Route(
            .get, path, access: .anyone,
            Operation(tag: "Browser", summary: summary, answer: ["type": "string"], answerType: type),
            handler: { request, _ in .cached(text, type: "\(type); charset=utf-8", for: request, seconds: 300) })
    }
}
