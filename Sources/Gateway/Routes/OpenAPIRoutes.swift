import Hummingbird
import WaitingRoom

/// The API's description, for programs and for people.
struct OpenAPIRoutes {
    let room: Room
    /// All other routes.
    let table: RouteTable

    var routes: [Route] {
        let docs = Route(
            .get, "/docs", access: .anyone,
            Operation(tag: "Service", summary: "This documentation", answer: ["type": "string"], answerType: "text/html"), handler: docs)
        let document = OpenAPIDocument(routes: table.routes + [docs, Self.description("")], publicURL: room.configuration.publicURL)
        return [Self.description(document.json.text), docs]
    }

    private static func description(_ text: String) -> Route {
        Route(
            .get, "/openapi.json", access: .anyone,
            Operation(tag: "Service", summary: "This description (OpenAPI 3.1)", answer: ["type": "object"]),
            handler: { request, _ in .cached(text, type: "application/json", for: request, seconds: 60) })
    }

    @Sendable func docs(_ request: Request, context: GatewayContext) async throws -> Response {
        room.assets.page(
            .docs,
            [
                "title": "Anteroom \(anteroomVersion)", "scriptURL": "/scripts/docs.js", "styleURL": "/styles/anteroom.css",
                "openapiURL": "/openapi.json",
            ])
    }
}
