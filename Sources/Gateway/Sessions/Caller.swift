import HTTPTypes
import Hummingbird
import WaitingRoom

/// Who sends a management request.
enum Caller: Sendable {
    case account(Account)
    /// The bearer of a tenant's secret key, who acts as its administrator.
    case tenant(Tenant)

    var role: Account.Role {
        switch self {
        case .account(let account): account.role
        case .tenant: .tenantAdmin
        }
    }

    /// Who it is, for the audit log.
    var name: String {
        switch self {
        case .account(let account): account.email
        case .tenant(let tenant): "application \(tenant.slug)"
        }
    }

    /// Whose requests count together.
    var credential: Identifier {
        switch self {
        case .account(let account): account.id
        case .tenant(let tenant): tenant.id
        }
    }

    /// The tenant whose things they see; `nil` = all.
    var scope: Identifier? {
        switch self {
        case .account(let account): account.role == .superAdmin ? nil : account.tenant ?? Identifier(high: 0, low: 0)
        case .tenant(let tenant): tenant.id
        }
    }

    /// Whether the things of `tenant` are there for them at all. What is not theirs answers 404.
    func sees(_ tenant: Identifier) -> Bool { scope == nil || scope == tenant }
}

extension Room {
    /// The caller of a request, whose role is at least `role`.
    /// - Throws: ``GatewayError`` 401 without a valid bearer token, 403 for a lesser role.
    func caller(_ request: Request, atLeast role: Account.Role) async throws -> Caller {
        let caller = try await caller(request)
        try await limits?.manage(caller.credential)
        guard caller.role >= role else { throw GatewayError.forbidden }
        return caller
    }

    private func caller(_ request: Request) async throws -> Caller {
        guard let token = request.bearer else { throw GatewayError.unauthorized("Not authenticated: sign in at POST /auth/login") }
        if let tenant = try await tenant(withSecret: token) { return .tenant(tenant) }
        // The role is read from the store at each call, not from the token.
        guard let session = await sessions.verify(token),
            let account = try await accounts.get(session.account, session: session.id, signedIn: session.signedIn)
        else {
            throw GatewayError.unauthorized("Could not validate credentials: sign in again", code: "invalid_credentials")
        }
        return .account(account)
    }

    /// The tenant whose secret key `token` is.
    func tenant(withSecret token: String) async throws -> Tenant? {
        guard let key = TenantKey(token), key.kind == .secret, let tenant = try await tenants.recent(key.tenant),
            tenants.isKey(key, of: tenant)
        else { return nil }
        return tenant
    }
}

extension Request {
    /// The token of `Authorization: Bearer …` (RFC 6750, section 2.1), or that of the dashboard's cookie.
    var bearer: String? {
        guard let value = headers[.authorization] else { return sessionCookie }
        let parts = value.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1])
    }
}
