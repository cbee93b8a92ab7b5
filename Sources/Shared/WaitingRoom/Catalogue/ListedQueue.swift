/// A queue as workers need to know it while nothing happens in it.
package struct ListedQueue: Sendable, Hashable {
    package let id: Identifier
    package let tenant: Identifier
    /// Whether its tenant is active: only then is it looked after.
    package let isServed: Bool

    package init(id: Identifier, tenant: Identifier, isServed: Bool) {
        self.id = id
        self.tenant = tenant
        self.isServed = isServed
    }
}
