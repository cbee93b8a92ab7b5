import HTTPTypes
import Hummingbird

/// All routes of the gateway. The router, the OpenAPI document and the 405 answers are made from it.
struct RouteTable: Sendable {
    let routes: [Route]

    /// Registers the routes; HEAD works wherever GET does.
    func register(on router: Router<GatewayContext>) {
        for route in routes {
            let path = RouterPath(Self.positional(route.path))
            let handler: Route.Handler = { request, context in
                context.coreContext.endpointPath.value = route.path
                return try await route.handler(request, context)
            }
            router.on(path, method: route.method, use: handler)
            if route.method == .get {
                router.on(path, method: .head) { request, context in try await handler(request, context).createHeadResponse() }
            }
        }
    }

    /// The router wants one name for a parameter at one position, whatever follows: they are numbered.
    private static func positional(_ path: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).enumerated()
            .map { $1.hasPrefix("{") ? "{\($0)}" : String($1) }.joined(separator: "/")
    }

    /// The methods that a path answers to, OPTIONS aside; empty when there is no such path.
    func methods(at path: String) -> [HTTPRequest.Method] {
        let segments = path.split(separator: "/")
        let found = routes.filter { matches($0.path, segments) }.map(\.method)
        return found.contains(.get) ? found + [.head] : found
    }

    private func matches(_ pattern: String, _ segments: [Substring]) -> Bool {
        let parts = pattern.split(separator: "/")
        return parts.count == segments.count && zip(parts, segments).allSatisfy { $0.0.hasPrefix("{") || $0.0 == $0.1 }
    }
}
