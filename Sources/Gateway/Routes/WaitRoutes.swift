import HTTPTypes
import Hummingbird
import Redis
import WaitingRoom

/// The hosted waiting page that websites redirect their visitors to.
struct WaitRoutes {
    let room: Room

    var routes: [Route] {
        let parameters: [Operation.Parameter] = [
            .init(
                name: "return_to", place: .query, schema: ["type": "string", "format": "uri"],
                meaning: "Where released visitors go; on the application's domain"),
            .init(name: "visitor_id", place: .query, schema: ["type": "string", "maxLength": 64]),
            .init(
                name: "invitation", place: .query, schema: ["type": "string"],
                meaning: "What the page joins with, where the queue asks for it"),
            .init(name: "lang", place: .query, schema: WebAssets.languageSchema),
            .init(name: "theme", place: .query, schema: ["type": "string", "enum": ["light", "dark", "auto"]]),
        ]
        let answer: JSON = ["type": "string"]
        return [
            Route(
                .get, "/wait/{queue}", access: .anyone,
                Operation(
                    tag: "Browser", summary: "The waiting page of a queue, by its id", parameters: parameters, answer: answer,
                    answerType: "text/html", failures: [404, 422, 503]),
                handler: { request, context in
                    await page(request, context) { try await room.queue(id: try context.parameter("queue")) }
                }),
            Route(
                .get, "/wait/{tenant}/{queue}", access: .anyone,
                Operation(
                    tag: "Browser", summary: "The waiting page of a queue, by slugs", parameters: parameters, answer: answer,
                    answerType: "text/html", failures: [404, 422, 503]),
                handler: { request, context in
                    await page(request, context) {
                        try await room.queue(try context.parameter("queue"), tenant: try context.parameter("tenant"))
                    }
                }),
        ]
    }

    /// The page, or a page that says what is wrong.
    private func page(_ request: Request, _ context: GatewayContext, find: () async throws -> Room.Found?) async -> Response {
        let pages = Pages(assets: room.assets, request: request, requestID: context.requestID)
        do {
            var query = try request.queryFields()
            let returnTo = query.optionalText("return_to", length: 1...2048)
            guard let (queue, tenant) = try await find(), tenant.isActive, queue.isActive else {
                return pages.error(.notFound, "queue_not_found")
            }
            if query.has("return_to"), !(returnTo.map { WebURL.isAllowed($0, hosts: queue.returnHosts(of: tenant)) } ?? false) {
                return pages.error(.unprocessableContent, "return_refused", of: queue)
            }
            return pages.wait(queue: queue, tenant: tenant, returnTo: returnTo)
        } catch let error as RedisError where error.isUnavailable {
            return pages.error(.serviceUnavailable, "unavailable")
        } catch {
            return pages.error(.unprocessableContent, "bad_request")
        }
    }
}
