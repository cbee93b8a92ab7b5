import Hummingbird
import WaitingRoom

/// Counts credentials that are none by address: who makes them up would otherwise meet no limit, as each is another client.
struct CredentialMiddleware: RouterMiddleware {
    let room: Room

    func handle(_ request: Request, context: GatewayContext, next: (Request, GatewayContext) async throws -> Response) async throws
        -> Response
    {
        do {
            return try await next(request, context)
        } catch let error as GatewayError {
            if error.isWrongCredential { try await room.limits?.wrongCredential(context.clientAddress(room, request)) }
            throw error
        }
    }
}

extension GatewayError {
    fileprivate var isWrongCredential: Bool { status == .unauthorized || code == Self.invalidAdminKey.code }
}
