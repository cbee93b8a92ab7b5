import Synchronization

/// The catalogue as this process last read or wrote it: what can be given back to a Redis that has lost it. It holds what Redis holds, and
/// so is as large as the catalogue.
package final class CatalogueMemory: Sendable {
    private struct Name: Hashable {
        let kind: CatalogueRecord.Kind
        let id: Identifier
    }

    private struct Slug: Hashable {
        let kind: CatalogueRecord.Kind
        let text: String
    }

    private struct State {
        var records: [Name: CatalogueRecord] = [:]
        var slugs: [Slug: Identifier] = [:]
        var version = 0

        mutating func store(_ record: CatalogueRecord) {
            let name = Name(kind: record.kind, id: record.id)
            guard records[name] != record else { return }
            version += 1
            records[name] = record
            guard let slug = record.slug.map({ Slug(kind: record.kind, text: $0) }) else { return }
            if !record.isDeleted { slugs[slug] = record.id } else if slugs[slug] == record.id { slugs[slug] = nil }
        }
    }

    private let state = Mutex(State())

    package init() {}

    /// Compares what Redis has of a record with what is known here, and remembers the newer.
    /// - Parameter found: `nil` when Redis has nothing.
    /// - Returns: the record that is known here when Redis has lost it, or has an older one; else `nil`.
    func lost(_ kind: CatalogueRecord.Kind, _ id: Identifier, found: [String: String]?) -> CatalogueRecord? {
        let found = found.map { CatalogueRecord(kind: kind, id: id, fields: $0) }
        return state.withLock { state in
            let name = Name(kind: kind, id: id)
            guard let known = state.records[name], found.map({ $0.changedMicroseconds < known.changedMicroseconds }) ?? true else {
                if let found { state.store(found) }
                return nil
            }
            // What was deleted goes for good after a while.
            guard known.isDeleted, found == nil else { return known }
            state.version += 1
            state.records[name] = nil
            return nil
        }
    }

    /// What is known of a record; `nil` for nothing, or that it was deleted.
    func fields(_ kind: CatalogueRecord.Kind, _ id: Identifier) -> [String: String]? {
        state.withLock { $0.records[Name(kind: kind, id: id)].flatMap { $0.isDeleted ? nil : $0.fields } }
    }

    /// Whether a record is known, even as deleted.
    func knows(_ kind: CatalogueRecord.Kind, _ id: Identifier) -> Bool { state.withLock { $0.records[Name(kind: kind, id: id)] != nil } }

    /// Whether a record is known as it was changed last at `changed`, µs of Redis's clock.
    func isCurrent(_ kind: CatalogueRecord.Kind, _ id: Identifier, changed: Int64) -> Bool {
        state.withLock { $0.records[Name(kind: kind, id: id)]?.changedMicroseconds == changed }
    }

    /// Grows with every change of what is known.
    package var version: Int { state.withLock { $0.version } }

    /// The queues that were not deleted, those of deleted tenants included.
    package func queues() -> [ListedQueue] {
        state.withLock { state in
            state.records.compactMap { name, record in
                guard name.kind == .queue, !record.isDeleted, let tenant = record.fields["tenant"].flatMap(Identifier.init(compact:)) else {
                    return nil
                }
                let owner = state.records[Name(kind: .tenant, id: tenant)]
                return ListedQueue(
                    id: name.id, tenant: tenant, isServed: owner.map { !$0.isDeleted && $0.fields["active"] == "1" } ?? false)
            }
        }
    }

    /// Remembers what this process has written.
    func note(_ record: CatalogueRecord) { state.withLock { $0.store(record) } }

    /// Remembers what this process has changed at a time of Redis's clock, µs.
    func note(_ fields: [(String, String)], of kind: CatalogueRecord.Kind, _ id: Identifier, at changed: Int64) {
        state.withLock { state in
            guard var record = state.records[Name(kind: kind, id: id)] else { return }
            for (key, value) in fields { record.fields[key] = value }
            record.fields["changed_at"] = String(changed)
            state.store(record)
        }
    }

    /// The ids of what is known of a kind, what was deleted too.
    func identifiers(_ kind: CatalogueRecord.Kind) -> [Identifier] {
        state.withLock { $0.records.keys.compactMap { $0.kind == kind ? $0.id : nil } }
    }

    /// The ids of what is known of a kind beside `listed`, and was not deleted.
    func identifiers(_ kind: CatalogueRecord.Kind, besides listed: [Identifier]) -> [Identifier] {
        let listed = Set(listed)
        return state.withLock { state in
            state.records.compactMap { $0.key.kind == kind && !listed.contains($0.key.id) && !$0.value.isDeleted ? $0.key.id : nil }
        }
    }

    /// The id that a name stood for.
    func identifier(of slug: String, _ kind: CatalogueRecord.Kind) -> Identifier? {
        state.withLock { $0.slugs[Slug(kind: kind, text: slug)] }
    }
}
