import HTTPTypes
import Hummingbird
import Logging
import NIOHTTP1
import Redis
import WaitingRoom

/// Gives every failure the shape of the dialect that the path belongs to, and a wrong method its 405. No mistake of a client is a 5xx.
struct ErrorMiddleware: RouterMiddleware {
    let table: RouteTable

    func handle(_ request: Request, context: GatewayContext, next: (Request, GatewayContext) async throws -> Response) async throws
        -> Response
    {
        do {
            return try await next(request, context)
        } catch let error as HTTPParserError {
            throw error
        } catch {
            let failure = failure(error, request: request, context: context)
            if failure.status == .noContent { return Response(status: .noContent, headers: failure.headers) }
            let dialect = Dialect(path: request.uri.path)
            let response = Response.json(dialect.body(failure), status: dialect.status(failure), headers: failure.headers)
            // A body would be read as the answer to the next request.
            return request.method == .head ? response.createHeadResponse() : response
        }
    }

    private func failure(_ error: any Error, request: Request, context: GatewayContext) -> GatewayError {
        switch error {
        case is GatewayError, is Queues.Refusal: return GatewayError(error)
        case let error as RedisError:
            if error.isUnavailable { return .unavailable }
            context.logger.error("Redis refused a command", metadata: ["error": "\(error)"])
            return GatewayError(status: .internalServerError, code: "internal_error", message: "Internal server error")
        case let error as any HTTPResponseError where error.status == .notFound: return noRoute(request)
        case let error as any HTTPResponseError where error.status.code < 500:
            return GatewayError(status: error.status, code: "bad_request", message: error.status.reasonPhrase)
        default:
            context.logger.error("A handler failed", metadata: ["error": "\(error)"])
            return GatewayError(status: .internalServerError, code: "internal_error", message: "Internal server error")
        }
    }

    private func noRoute(_ request: Request) -> GatewayError {
        let allowed = table.methods(at: request.uri.path)
        guard !allowed.isEmpty else { return .notFound("Not Found", code: "not_found") }
        let headers: HTTPFields = [.allow: (allowed.map(\.rawValue) + ["OPTIONS"]).joined(separator: ", ")]
        if request.method == .options { return GatewayError(status: .noContent, code: "", message: "", headers: headers) }
        return GatewayError(status: .methodNotAllowed, code: "method_not_allowed", message: "Method Not Allowed", headers: headers)
    }
}
