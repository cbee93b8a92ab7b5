import WaitingRoom

/// Something that happened to one person, as those who run the queue are told.
struct StoryEvent: Sendable, Equatable {
    enum Kind: String, Sendable {
        case joined, released, expired, cancelled
        case callbackPending = "callback_pending"
        case callbackDelivered = "callback_delivered"
        case callbackDead = "callback_dead"
        /// What a desk did, by the names of ``QueueEvent/kind``.
        case call, recall, serve, transfer
        case noShow = "no_show"
        case comeBack = "return"
    }

    let time: Timestamp
    let kind: Kind
    /// The place, when joined.
    var place: Int?
    /// Attempts to deliver the callback.
    var attempts: Int?
    /// What the last attempt met.
    var problem: String?
    /// Who did it by hand.
    var actor: String?
    /// The desk that did it.
    var desk: String?
    /// A desk's step that took back the one before.
    var isUndo = false

    /// One line of English.
    var detail: String {
        var parts: [String] = []
        if let place { parts.append("place \(place)") }
        if let attempts, kind == .callbackDelivered { parts.append("at attempt \(attempts)") }
        if let attempts, kind != .callbackDelivered { parts.append("\(attempts) failed") }
        if let problem { parts.append(problem) }
        if let actor { parts.append("by \(actor)") }
        if let desk { parts.append("desk \(desk)") }
        if isUndo { parts.append("taken back") }
        return parts.joined(separator: ", ")
    }

    var json: JSON { ["at": .string(time.rfc3339), "type": .string(kind.rawValue), "detail": .string(detail)] }
}

extension Room {
    /// What happened to one person, in order.
    func story(of entry: Entry, in queue: Queue) async throws -> [StoryEvent] {
        let story = try await queues.story(of: entry.id, in: queue.id, retentionHours: configuration.retentionHours)
        let byHand = try await audit.list(of: queue.tenant, target: entry.id, limit: 10)
        var events = [StoryEvent(time: entry.joined, kind: .joined, place: story?.placeWhenJoined)]
        let desks = try await queues.events(queue.id, of: entry).compactMap(Self.event)
        events += desks
        if let finished = entry.finished, desks.isEmpty || entry.state != .released {
            switch entry.state {
            case .waiting: break
            case .released: events.append(StoryEvent(time: finished, kind: .released, actor: actor("entry.release", byHand)))
            case .expired: events.append(StoryEvent(time: finished, kind: .expired))
            case .cancelled: events.append(StoryEvent(time: finished, kind: .cancelled, actor: actor("entry.cancel", byHand)))
            }
        }
        if let callback = story?.callback { events.append(Self.event(callback)) }
        return events.sorted { $0.time < $1.time }
    }

    private func actor(_ action: String, _ lines: [AuditLine]) -> String? { lines.first { $0.action == action }?.actor }

    private static func event(_ callback: CallbackStatus) -> StoryEvent {
        let kind: StoryEvent.Kind =
            switch callback.state {
            case .pending: .callbackPending
            case .delivered: .callbackDelivered
            case .dead: .callbackDead
            }
        return StoryEvent(time: callback.time, kind: kind, attempts: callback.attempts, problem: callback.lastError)
    }

    /// A desk's step; `nil` for what the entry tells itself.
    private static func event(_ event: QueueEvent) -> StoryEvent? {
        guard let kind = StoryEvent.Kind(rawValue: event.kind.lowercased()), kind != .joined else { return nil }
        return StoryEvent(time: event.time, kind: kind, desk: event.desk.isEmpty ? nil : event.desk, isUndo: event.isUndo)
    }
}
