/// One record of the catalogue as Redis keeps it: a tenant, a queue's settings or an account.
package struct CatalogueRecord: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case tenant, queue, account

        /// The hash of the record itself.
        func key(_ id: Identifier) -> String {
            switch self {
            case .tenant: CatalogueKeys.tenant(id)
            case .queue: QueueKeys.settings(of: id)
            case .account: CatalogueKeys.account(id)
            }
        }

        /// The sorted set of all of this kind.
        var index: String {
            switch self {
            case .tenant: CatalogueKeys.tenants
            case .queue: CatalogueKeys.queues
            case .account: CatalogueKeys.accounts
            }
        }

        /// Where a record is found by its name: the hash, and the field in it. Those of queues are their tenants'.
        /// - Parameter slug: as ``CatalogueRecord/slug``.
        func place(of slug: String) -> (slugs: String, slug: String, tenant: Identifier?) {
            switch self {
            case .tenant: return (CatalogueKeys.slugs, slug, nil)
            case .account: return (CatalogueKeys.emails, slug, nil)
            case .queue:
                let parts = slug.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                guard parts.count == 2, let tenant = Identifier(compact: parts[0]) else { return (CatalogueKeys.slugs, slug, nil) }
                return (CatalogueKeys.slugs(of: tenant), parts[1], tenant)
            }
        }
    }

    package let kind: Kind
    package let id: Identifier
    package var fields: [String: String]

    package init(kind: Kind, id: Identifier, fields: [String: String]) {
        self.kind = kind
        self.id = id
        self.fields = fields
    }

    var key: String { kind.key(id) }

    /// The name by which it is found, unique in its kind: `<tenant id>/<slug>` of a queue; `nil` for a record that is none.
    var slug: String? {
        switch kind {
        case .tenant: fields["slug"]
        case .queue: fields["tenant"].flatMap { tenant in fields["slug"].map { "\(tenant)/\($0)" } }
        case .account: fields["email"]
        }
    }

    var isDeleted: Bool { fields["deleted"] == "1" }
    var createdMilliseconds: Int64 { fields["created_at"].flatMap(Int64.init) ?? 0 }
    /// When it was last changed, by Redis's clock in µs; 0 when it is as it was made.
    var changedMicroseconds: Int64 { fields["changed_at"].flatMap(Int64.init) ?? 0 }
}
