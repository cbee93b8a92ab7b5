/// What people are told of an incident, in plain words: what happened, and what to do.
package struct Alert: Sendable, Equatable {
    /// One line.
    package let title: String
    /// A few lines.
    package let text: String
    /// Where to look into it.
    package let page: String
    /// The same each time that it is sent, and no other's.
    package let id: String
    /// The ``id`` of the one that told of the beginning, when this one tells of the end.
    package let beginning: String?

    /// - Parameter publicURL: where the gateways are (`PUBLIC_URL`).
    package init(_ incident: Incident, publicURL: String) {
        let queueID = incident.queue?.description ?? ""
        switch incident.kind {
        case .callbacksFailing: page = "\(publicURL)/admin/callbacks?queue_id=\(queueID)"
        case .queueTooLong, .releaseStalled, .queueLostData: page = "\(publicURL)/admin/queues/\(queueID)"
        case .redisUnwell: page = publicURL + "/admin"
        }
        func id(_ state: Incident.State) -> String {
            "\(incident.kind.rawValue).\(incident.queue?.compact ?? "service").\(incident.since.milliseconds).\(state.rawValue)"
        }
        self.id = id(incident.state)
        beginning = incident.state == .resolved ? id(.open) : nil
        let queue = "\"\(Self.line(incident.queueName ?? incident.queue?.description ?? ""))\""
        switch incident.state {
        case .open:
            title = Self.title(incident, queue)
            text = Self.text(incident, queue, page)
        case .resolved:
            title = "Resolved: " + Self.resolution(incident.kind, queue)
            text = "It began \(Self.minute(incident.since)) and was over \(Self.minute(incident.until ?? incident.since))."
        }
    }

    private static func title(_ incident: Incident, _ queue: String) -> String {
        switch incident.kind {
        case .queueTooLong: "\(incident.value) people wait in \(queue)"
        case .callbacksFailing: "Callbacks of \(queue) fail"
        case .releaseStalled: "Nobody is let in from \(queue)"
        case .queueLostData: "Redis has lost data of \(queue)"
        case .redisUnwell: "Redis is unwell"
        }
    }

    private static func text(_ incident: Incident, _ queue: String, _ page: String) -> String {
        let detail = line(incident.detail)
        let since = minute(incident.since)
        switch incident.kind {
        case .queueTooLong:
            return """
                The line is longer than the threshold of \(detail) (QUEUE_THRESHOLD) since \(since).
                If the site can take more, raise the queue's rate at \(page).
                """
        case .callbacksFailing:
            let callbacks = incident.value == 1 ? "1 callback was" : "\(incident.value) callbacks were"
            return """
                \(callbacks) given up in the last 10 minutes, after the last attempt. The last error: \(detail).
                These people were let in, but the site was not told. See that the site answers at its callback address, then send the dead \
                letters again at \(page).
                """
        case .releaseStalled:
            let parts = detail.split(separator: " ").map(String.init)
            let (standstill, rate) = (parts.first.flatMap(Int.init) ?? 0, parts.last.flatMap(Double.init) ?? 0)
            let people = incident.value == 1 ? "1 person waits" : "\(incident.value) people wait"
            return """
                \(people) at a rate of \(JSON.number(rate).text) a minute, but nobody has been let in for \(duration(standstill)).
                The releasers' logs say why; it is safe to restart them. The queue is at \(page).
                """
        case .queueLostData:
            return """
                Redis came back empty or behind \(since): it was emptied, restored from a backup, or failed over to a server that was behind.
                Visitors get their places back as their browsers ask. Nobody is let in for \(detail) seconds (REBUILD_SECONDS), so that nobody \
                is passed by who joined later. There is nothing to do for that; look into why Redis lost data. The queue is at \(page).
                """
        case .redisUnwell: return "\(detail)\nSince \(since)."
        }
    }

    private static func resolution(_ kind: Incident.Kind, _ queue: String) -> String {
        switch kind {
        case .queueTooLong: "the line of \(queue) is within its threshold again"
        case .callbacksFailing: "no callbacks of \(queue) were given up in the last 10 minutes"
        case .releaseStalled: "\(queue) lets people in again, or nobody waits for it"
        case .queueLostData: "\(queue) lets people in again after its loss of data"
        case .redisUnwell: "Redis is well again"
        }
    }

    /// Names are typed by people: one line of them, without control characters.
    private static func line(_ text: String) -> String {
        String(text.map { $0.isNewline || $0.unicodeScalars.contains { $0.properties.generalCategory == .control } ? " " : $0 })
    }

    private static func minute(_ time: Timestamp) -> String {
        let text = time.zoneless
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5)) UTC"
    }

    private static func duration(_ seconds: Int) -> String { seconds < 120 ? "\(seconds) seconds" : "\(seconds / 60) minutes" }
}
