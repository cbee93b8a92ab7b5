import Foundation
import Logging
import Redis
import WaitingRoom

/// The first super admin: from `ADMIN_EMAIL` and `ADMIN_PASSWORD`; in development made once, and its password printed once.
struct FirstAdministrator {
    let room: Room
    let logger: Logger

    /// Sees to it that the account exists; waits while Redis is away.
    func ensure() async throws {
        while true {
            do {
                return try await make()
            } catch let error as RedisError where error.isUnavailable {
                try await Task.sleep(for: .milliseconds(250))
            }
        }
    }

    private func make() async throws {
        try await CatalogueMove(redis: room.redis).run()
        let email = room.configuration.adminEmail
        if let password = room.configuration.adminPassword {
            return try await room.accounts.ensureSuperAdmin(email: email, password: password)
        }
        guard try await room.accounts.find(email: email) == nil else { return }
        let password = String(SecretKey.generateText().prefix(20))
        if try await room.accounts.create(email: email, password: password, role: .superAdmin, tenant: nil) != nil {
            FileHandle.standardError.write(Data("First administrator, shown this once: \(email) / \(password)\n".utf8))
        }
    }
}
