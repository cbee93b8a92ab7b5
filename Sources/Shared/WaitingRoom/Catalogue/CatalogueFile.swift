package import Redis

/// The catalogue as a text: applications, queues and accounts, with their secrets sealed and their passwords hashed as Redis has them. It
/// opens under the same `SECRET_KEY` only.
package struct CatalogueFile: Sendable {
    private static let format = "anteroom catalogue 1"

    package let records: [CatalogueRecord]

    /// What Redis holds, without what was deleted.
    package static func export(from queues: Queues) async throws(RedisError) -> CatalogueFile {
        CatalogueFile(records: try await queues.catalogue.all().filter { !$0.isDeleted })
    }

    /// Writes what Redis does not have, or has an older state of; never over a newer one.
    /// - Returns: how many records were written.
    package func `import`(to queues: Queues) async throws(RedisError) -> Int {
        var written = 0
        for record in records where try await queues.catalogue.restore(record) { written += 1 }
        return written
    }

    private init(records: [CatalogueRecord]) { self.records = records }

    /// Reads what ``text`` wrote.
    /// - Throws: ``CatalogueFileError`` with what is wrong with it.
    package init(text: String) throws {
        guard let json = try? JSONScanner.scan(Array(text.utf8)), json["format"]?.string == Self.format,
            case .array(let records)? = json["records"]
        else { throw CatalogueFileError(description: "it is not what Gateway --export writes (\(Self.format))") }
        self.records = try records.enumerated().map { index, record in
            guard let kind = record["kind"]?.string.flatMap(CatalogueRecord.Kind.init(rawValue:)),
                let id = record["id"]?.string.flatMap({ Identifier(uuid: $0) }), case .object(let members)? = record["fields"]
            else { throw CatalogueFileError(description: "record \(index + 1) has no kind, id or fields") }
            var fields: [String: String] = [:]
            for member in members {
                guard let value = member.value.string else {
                    throw CatalogueFileError(description: "record \(index + 1): \(member.key) is no text")
                }
                fields[member.key] = value
            }
            let read = CatalogueRecord(kind: kind, id: id, fields: fields)
            guard read.slug != nil else { throw CatalogueFileError(description: "record \(index + 1) has no name") }
            return read
        }
    }

    /// JSON, a line for each record.
    package var text: String {
        let lines = records.map { record in
            let fields = record.fields.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }
            return JSON.object([
                .init("kind", .string(record.kind.rawValue)), .init("id", .string(record.id.description)), .init("fields", .object(fields)),
            ]).text
        }
        return "{\"format\":\"\(Self.format)\",\"records\":[\n" + lines.joined(separator: ",\n") + "\n]}\n"
    }
}

package struct CatalogueFileError: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}
