import HTTPTypes
import Hummingbird
import WaitingRoom

/// How the places of those were drawn who came before an opening.
struct ShuffleRoutes {
    let room: Room

    var routes: [Route] {
        [
            Route(
                .get, "/queues/{id}/shuffle", access: .anyone,
                Operation(
                    tag: "Queues", summary: "What the lots of the latest opening rest on, for anybody to check",
                    answer: Operation.schema("Shuffle"), failures: [404, 503]),
                handler: shuffle)
        ]
    }

    @Sendable func shuffle(_ request: Request, context: GatewayContext) async throws -> Response {
        guard let id = Identifier(uuid: try context.parameter("id")), let queue = try await room.queues.recent(id) else {
            throw GatewayError.queueNotFound
        }
        let shuffle = try await room.queues.shuffle(of: queue)
        return .json([
            "commitment": .optional(queue.shuffleCommitment), "seed": .optional(shuffle.seed), "algorithm": .string(Shuffle.algorithm),
            "count": .integer(shuffle.count), "slots": .integer(shuffle.slots),
        ])
    }
}
