import HTTPTypes
import Hummingbird
import Redis
import WaitingRoom

/// The pages of a walk-in line, and the QR code that leads to the first of them.
struct WalkInPageRoutes {
    let room: Room

    var routes: [Route] {
        let parameters: [Operation.Parameter] = [
            .init(name: "lang", place: .query, schema: WebAssets.languageSchema),
            .init(name: "theme", place: .query, schema: ["type": "string", "enum": ["light", "dark", "auto"]]),
        ]
        func route(_ path: String, _ summary: String, _ page: WalkInPage) -> Route {
            Route(
                .get, path, access: .anyone,
                Operation(
                    tag: "Walk-in", summary: summary, parameters: parameters, answer: ["type": "string"], answerType: "text/html",
                    failures: [404, 503]),
                handler: { request, context in await show(page, request, context) })
        }
        func shortened(_ path: String, _ summary: String) -> Route {
            Route(
                .get, path, access: .anyone, Operation(tag: "Walk-in", summary: summary, success: 302, failures: []), handler: lead)
        }
        return [
            shortened("/queue", "To the public page of the queue that DEFAULT_TENANT_ID and DEFAULT_QUEUE_ID name"),
            shortened("/queue/{tenant}", "To the public page of an application's queue that DEFAULT_QUEUE_ID names"),
            route("/queue/{tenant}/{queue}", "The public page: join, see one's place live, leave", .place),
            route("/queue/{tenant}/{queue}/kiosk", "The screen: who is called, who waits, the QR code", .kiosk),
            route("/queue/{tenant}/{queue}/desk", "The desk, opened with the admin key on the page", .desk),
            Route(
                .get, "/api/{tenant}/{queue}/qr", access: .anyone,
                Operation(
                    tag: "Walk-in", summary: "The address of the public page as a QR code", answer: ["type": "string"],
                    answerType: "image/svg+xml", failures: [404, 503]),
                handler: qr),
        ]
    }

    private func show(_ page: WalkInPage, _ request: Request, _ context: GatewayContext) async -> Response {
        let pages = Pages(assets: room.assets, request: request, requestID: context.requestID)
        do {
            let (queue, tenant) = try await room.walkInQueue(context)
            return pages.walkIn(page, queue: queue, tenant: tenant, address: address(queue, tenant))
        } catch let error as RedisError where error.isUnavailable {
            return pages.error(.serviceUnavailable, "unavailable")
        } catch {
            return pages.error(.notFound, "queue_not_found")
        }
    }

    @Sendable func lead(_ request: Request, context: GatewayContext) async throws -> Response {
        let named = request.uri.path.split(separator: "/").dropFirst().first.map(String.init)
        let tenant = named ?? FormText.encode(room.configuration.defaultTenant)
        let page = "/queue/\(tenant)/\(FormText.encode(room.configuration.defaultQueue))"
        let query = request.uri.query.map { "?\($0)" } ?? ""
        return Response(status: .found, headers: [.location: page + query, .cacheControl: "no-store"])
    }

    @Sendable func qr(_ request: Request, context: GatewayContext) async throws -> Response {
        let (queue, tenant) = try await room.walkInQueue(context)
        let address = address(queue, tenant)
        guard let code = QRCode(address) else { throw GatewayError.queueNotFound }
        return .cached(code.svg(title: address), type: "image/svg+xml", for: request, seconds: 300)
    }

    private func address(_ queue: Queue, _ tenant: Tenant) -> String {
        "\(room.configuration.publicURL)/queue/\(tenant.slug)/\(queue.slug)"
    }
}
