import HTTPTypes
import Hummingbird
import WaitingRoom

/// Puts around every answer what each must have: the request's id, CORS headers, and `Connection: close` while the gateway drains.
struct EnvelopeMiddleware: RouterMiddleware {
    let origins: AllowedOrigins
    let readiness: Readiness
    let metrics: GatewayMetrics

    func handle(_ request: Request, context: GatewayContext, next: (Request, GatewayContext) async throws -> Response) async throws
        -> Response
    {
        let started = ContinuousClock.now
        var response = try await next(request, context)
        response.headers[.requestID] = context.requestID
        response.headers[.contentTypeOptions] = "nosniff"
        origins.allow(request.headers[.origin], preflight: request.method == .options, in: &response.headers)
        if readiness.isDraining { response.headers[.connection] = "close" }
        metrics.answered(
            method: request.method, route: context.endpointPath ?? "none", status: response.status.code, in: started.duration(to: .now))
        return response
    }
}
