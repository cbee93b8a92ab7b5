import WaitingRoom

/// The part of a list that `skip` and `limit` ask for.
struct Paging {
    let skip: Int
    let limit: Int

    /// Reads `skip` (default 0) and `limit` (1 to 1000, default 100) of a query.
    init(_ query: inout Fields) {
        skip = query.integer("skip", 0...1_000_000_000, fallback: 0)
        limit = query.integer("limit", 1...1000, fallback: 100)
    }

    func of<Item>(_ items: [Item]) -> [Item] { Array(items.dropFirst(skip).prefix(limit)) }

    static let parameters: [Operation.Parameter] = [
        .init(name: "skip", place: .query, schema: ["type": "integer", "minimum": 0, "default": 0]),
        .init(name: "limit", place: .query, schema: ["type": "integer", "minimum": 1, "maximum": 1000, "default": 100]),
    ]
}
