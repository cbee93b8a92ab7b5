/// The routes of owners and operators.
enum ManagementRoutes {
    static func all(room: Room) -> [Route] {
        AuthRoutes(room: room).routes + ApplicationRoutes(room: room).routes + QueueRoutes(room: room).routes
            + ShuffleRoutes(room: room).routes
            + RehearsalRoutes(room: room).routes + EntryRoutes(room: room).routes + CallbackRoutes(room: room).routes
            + DashboardRoutes(room: room).routes + FigureRoutes(room: room).routes + AccountRoutes(room: room).routes
            + AuditRoutes(room: room).routes + AdminRoutes(room: room).routes + ServiceRoutes(room: room).routes
    }
}
