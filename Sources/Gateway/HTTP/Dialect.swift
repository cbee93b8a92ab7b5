import HTTPTypes
import WaitingRoom

/// The service speaks as the two programs did that it replaces, each to the clients of its own: QMS (websites, their visitors and owners;
/// everything else) and MicroQ (walk-in lines, under `/api` and `/queue`). Where a comment speaks of the contract, it means what those
/// clients rely on: names and order of keys, defaults, errors. `/openapi.json` describes it.
enum Dialect {
    case qms, microQ

    init(path: String) {
        let isMicroQ = path == "/api" || path == "/queue" || path.hasPrefix("/api/") || path.hasPrefix("/queue/")
        self = isMicroQ ? .microQ : .qms
    }

    func body(_ error: GatewayError) -> JSON {
        switch self {
        case .microQ: ["error": .string(error.message), "code": .string(error.code)]
        case .qms:
            [
                "detail": error.problems.isEmpty ? .string(error.message) : .array(error.problems.map(\.json)),
                "code": .string(error.code),
            ]
        }
    }

    func status(_ error: GatewayError) -> HTTPResponse.Status {
        self == .microQ && error.status == .unprocessableContent ? .badRequest : error.status
    }
}
