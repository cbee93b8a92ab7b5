import HTTPTypes
import Hummingbird
import WaitingRoom

/// What a desk does with its admin key.
struct DeskRoutes {
    let room: Room

    var routes: [Route] {
        [
            Route(
                .post, "/api/{tenant}/{queue}/serve-next", access: .adminKey,
                Operation(
                    tag: "Walk-in", summary: "Call the first in line", body: ["type": "object"], answer: Operation.schema("Served"),
                    failures: [400, 403, 404, 413, 415, 503]),
                handler: serveNext),
            Route(
                .post, "/api/{tenant}/{queue}/boost", access: .anyone,
                Operation(
                    tag: "Walk-in", summary: "Retired: the order is strictly first come, first served", success: 410,
                    answer: Operation.schema("WalkInError")),
                handler: boost),
        ]
    }

    @Sendable func serveNext(_ request: Request, context: GatewayContext) async throws -> Response {
        let (queue, tenant) = try await room.walkInQueue(context)
        try room.checkAdminKey(request, of: queue)
        _ = try await request.fields(orNothing: true)
        guard let entry = try await room.queues.serveNext(queue.id) else { return .json(["message": "queue is empty"]) }
        return .json(["served": WalkInBody(entry: entry, queue: queue, tenant: tenant).servedJSON])
    }

    @Sendable func boost(_ request: Request, context: GatewayContext) async throws -> Response {
        throw GatewayError(
            status: .gone, code: "boost_retired", message: "Boosting is retired: the order is strictly first come, first served")
    }
}
