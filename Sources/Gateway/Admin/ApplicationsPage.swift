import Hummingbird
import WaitingRoom

extension AdminRoutes {
    /// Applications and their keys. Secret keys are shown once, by the script, from the answer that made them.
    @Sendable func applications(_ visit: AdminVisit, _ caller: Caller) async throws -> Response {
        let tenants = try await room.tenants(for: caller)
        return visit.page(
            .adminApplications, title: visit.say("admin_applications"), current: "applications",
            [
                "canCreate": visit.isSuperAdmin, "none": tenants.isEmpty,
                "applications": tenants.map { tenant -> [String: Any] in
                    [
                        "id": tenant.id.description, "name": tenant.name, "domain": tenant.domain, "slug": tenant.slug,
                        "callbackURL": tenant.callbackURL ?? "", "redirectURL": tenant.redirectURL ?? "",
                        "sharedRate": tenant.ratePerMinute.map { Chart.plain($0).replacing(",", with: "") } ?? "",
                        "apiKey": visit.canManage ? tenant.apiKey : "…", "isActive": tenant.isActive,
                        "stateName": visit.say(tenant.isActive ? "admin_active" : "admin_state_off"),
                    ]
                },
            ])
    }
}
