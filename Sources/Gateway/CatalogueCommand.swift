import Foundation
import Logging
import NIOPosix
import Observability
import Redis
import WaitingRoom

/// `Gateway --export` and `Gateway --import FILE`: the catalogue as a text, for a backup that outlives Redis or a move to another one.
enum CatalogueCommand {
    case export
    /// From a file, or from standard input when its name is `-`.
    case `import`(file: String)

    private static let patience = Duration.seconds(10)

    /// Exports to standard output, or imports and says how many records were written.
    /// - Throws: ``CatalogueFileError``, or an error of Redis or of the file.
    func run(_ configuration: ServiceConfiguration) async throws {
        let logger = startLogging("catalogue", level: "error", format: "text")
        let redis = RedisClient(configuration.redis, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger)
        let connection = Task { try await redis.run() }
        defer { connection.cancel() }
        let secret = try await Self.withPatience {
            try await SecretKey.resolve(configured: configuration.secretKey, redis: redis, logger: logger)
        }
        let queues = Queues(redis: redis, secret: secret)
        try await CatalogueMove(redis: redis).run()
        switch self {
        case .export: print(try await CatalogueFile.export(from: queues).text, terminator: "")
        case .import(let file):
            let data = try file == "-" ? FileHandle.standardInput.readToEnd() ?? Data() : Data(contentsOf: URL(fileURLWithPath: file))
            let catalogue = try CatalogueFile(text: String(decoding: data, as: UTF8.self))
            let written = try await catalogue.import(to: queues)
            print("\(written) of \(catalogue.records.count) records written; what Redis has as new was left alone")
        }
    }

    private static func withPatience<Value: Sendable>(_ body: @Sendable @escaping () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: patience)
                throw CatalogueFileError(description: "Redis does not answer; REDIS_URL says where it is looked for")
            }
            defer { group.cancelAll() }
            return try await group.next()!
        }
    }
}
