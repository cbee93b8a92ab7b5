import CoreMetrics
import Logging
import Redis
import Synchronization
import WaitingRoom

/// How often is looked, and how patiently.
struct AlertPace {
    var look = Duration.seconds(5)
    /// How long Redis may be away before people are told.
    var outage = Duration.seconds(10)
    var limits: Incidents.Limits
}

/// Looks for what people should know of, and tells them.
///
/// The worker that is the first by name of those alive looks at all queues and at Redis, so that it costs the same with ten workers as with
/// one, and so that a worker that does not get on with a queue is seen by another. Nothing rests on there being one: the scripts open an
/// incident once and give each notice to one worker at a time. That no worker is alive is not seen here, but by Prometheus.
final class AlertLoop: Sendable {
    private struct State {
        /// Names of channels that are sending.
        var sending: Set<String> = []
        var isStopping = false
        /// Which part of the queues has its turn.
        var turn = 0
        /// Queues that had an incident or a notice to be told when they were looked at last.
        var unsettled: Set<Identifier> = []
    }

    private let worker: Worker
    private let channels: [any AlertChannel]
    private let pace: AlertPace
    private let incidents: Incidents
    private let state = Mutex(State())

    /// What a claimed notice may take beyond the attempt itself.
    private static let leaseMargin = Duration.seconds(5)
    private static let queuesAtOnce = 256
    private static let mostTurns = 12

    init(worker: Worker, pace: AlertPace) {
        self.worker = worker
        self.pace = pace
        incidents = Incidents(redis: worker.redis)
        let alerts = worker.configuration.alerts
        var channels: [any AlertChannel] = []
        if let mail = alerts.mail { channels.append(MailSender(mail)) }
        if let url = alerts.webhookURL { channels.append(WebhookSender(url: url, clients: worker.sender.clients)) }
        self.channels = channels
    }

    /// Runs until cancelled. Attempts to send that are under way go on; ``Worker`` waits for them.
    func run() async {
        var watch = RedisWatch(patience: pace.outage)
        var outage: Outage?
        while !Task.isCancelled {
            do {
                let asked = ContinuousClock.now
                let isFirst = try await worker.locks.isFirst()
                watch.answered(isFirst: isFirst, after: asked.duration(to: .now))
                var owed: [Queue?] = []
                if isFirst || outage != nil, try await lookAtRedis(isSlow: watch.isSlow) { owed.append(nil) }
                watch.succeeded()
                if let ended = outage, let told = ended.end() {
                    // Written down with who was told, so that the next look owes its end, to be told by whoever is first then.
                    try await incidents.keep(ended.incident, told: told)
                    outage = nil
                    continue
                }
                if isFirst { tell(of: owed + (try await lookAtQueues())) }
            } catch {
                worker.logger.debug("A look for incidents failed; the next one follows", metadata: ["error": "\(error)"])
                if error.isUnavailable, let lasted = watch.failed(), outage == nil {
                    outage = tell(of: error, lasted: lasted)
                }
            }
            try? await Task.sleep(for: pace.look)
        }
        state.withLock { $0.isStopping = true }
        _ = outage?.end()
    }

    // MARK: Looking

    /// - Returns: whether a channel is owed a notice.
    private func lookAtRedis(isSlow: Bool) async throws(RedisError) -> Bool {
        let health = RedisHealth(servers: try await info(), isSlow: isSlow)
        let look = try await incidents.note(
            .redisUnwell, health.level, problem: health.problems.joined(separator: " "), limits: pace.limits,
            channels: channels.map(\.name))
        report(look.changes)
        return look.isOwed
    }

    /// What each server of Redis says of itself; nothing where this service may not ask.
    private func info() async throws(RedisError) -> [(server: String, info: String)] {
        var infos: [(server: String, info: String)] = []
        for (server, result) in await worker.redis.sendToEach(RedisCommand("INFO")) {
            if case .failure(let error) = result, error.isUnavailable { throw error }
            infos.append((server, (try? result.get().string) ?? ""))
        }
        return infos
    }

    /// Looks at every queue in which there may be something to see, and at a part of the others, so that all have their turn within a
    /// minute.
    /// - Returns: the queues of which a channel is owed a notice.
    private func lookAtQueues() async throws(RedisError) -> [Queue] {
        let all = worker.catalogue.queues().sorted { $0.id < $1.id }
        let turns = min(Self.mostTurns, all.count / Self.queuesAtOnce + 1)
        let turn = state.withLock { state in
            state.turn += 1
            state.unsettled.formIntersection(all.map(\.id))
            return state.turn % turns
        }
        var owed: [Queue] = []
        for start in stride(from: 0, to: all.count, by: Self.queuesAtOnce) {
            let some = all[start..<min(start + Self.queuesAtOnce, all.count)]
            let conspicuous = try await incidents.conspicuous(some.map(\.id), limits: pace.limits)
            await withTaskGroup(of: (Queue, Incidents.Look?)?.self) { group in
                for (index, queue) in some.enumerated()
                where conspicuous.contains(queue.id) || index % turns == turn || state.withLock({ $0.unsettled.contains(queue.id) }) {
                    group.addTask { await self.look(at: queue) }
                }
                for await case (let queue, let look)? in group {
                    report(look?.changes ?? [])
                    if look?.isOwed == true { owed.append(queue) }
                    let isSettled = look?.isOwed == false && !conspicuous.contains(queue.id)
                    state.withLock { state in
                        if isSettled { state.unsettled.remove(queue.id) } else { state.unsettled.insert(queue.id) }
                    }
                }
            }
        }
        return owed
    }

    /// A queue that cannot be looked at keeps none of the others from it.
    private func look(at listed: ListedQueue) async -> (Queue, Incidents.Look?)? {
        guard let queue = worker.queues.lastKnown(listed.id) else { return nil }
        do {
            let look = try await incidents.watch(
                queue, isServed: listed.isServed, limits: pace.limits, channels: channels.map(\.name))
            return (queue, look)
        } catch {
            worker.logger.debug("A queue could not be looked at", metadata: ["queue_id": "\(queue.id)", "error": "\(error)"])
            return (queue, nil)
        }
    }

    private func report(_ changes: [Incident]) {
        for incident in changes {
            if incident.state == .open { worker.metrics.alertsRaised(incident.kind).increment() }
            let alert = alert(incident)
            worker.logger.log(
                level: incident.state == .open ? .warning : .notice, "Alert: \(alert.title)",
                metadata: ["kind": "\(incident.kind.rawValue)", "queue_id": "\(incident.queue?.description ?? "-")"])
        }
    }

    private func alert(_ incident: Incident) -> Alert { Alert(incident, publicURL: worker.configuration.publicURL) }

    // MARK: Telling

    /// Begins to send what the channels are owed, side by side; one that is at it still is left to it, and takes the rest at a later look.
    private func tell(of owed: [Queue?]) {
        guard !owed.isEmpty else { return }
        for channel in channels where state.withLock({ $0.sending.insert(channel.name).inserted }) {
            worker.deliveries.begin {
                for queue in owed { await self.tell(of: queue, by: channel) }
                self.state.withLock { _ = $0.sending.remove(channel.name) }
            }
        }
    }

    private func tell(of queue: Queue?, by channel: any AlertChannel) async {
        do {
            while !state.withLock({ $0.isStopping }),
                let notice = try await incidents.claim(of: queue, channel: channel.name, lease: channel.timeLimit + Self.leaseMargin)
            {
                let failure = await send(alert(notice.incident), by: channel, attempts: notice.attempts)
                try await incidents.settle(notice, retryAfter: failure?.pause(after: notice.attempts))
            }
        } catch {
            // Not settled: the lease brings it back.
            worker.logger.debug("A notice could not be settled", metadata: ["error": "\(error)"])
        }
    }

    /// - Parameter attempts: those that failed before this one; only the first failure is worth a line to the operator.
    private func send(_ alert: Alert, by channel: any AlertChannel, attempts: Int) async -> AlertFailure? {
        do {
            try await channel.send(alert)
            return nil
        } catch {
            worker.logger.log(
                level: attempts == 0 ? .warning : .debug, "An alert could not be sent by \(channel.name); it is tried again",
                metadata: ["alert": "\(alert.title)", "error": "\(error.reason)"])
            return error
        }
    }

    /// Tells of Redis's absence from memory.
    private func tell(of error: RedisError, lasted: Duration) -> Outage {
        let incident = Incident(
            kind: .redisUnwell, state: .open, since: Timestamp(milliseconds: Timestamp.now().milliseconds - lasted.milliseconds),
            detail: """
                Redis cannot be used (\(error.message)): nobody can join or be let in. Those who wait keep their places. See that it runs, \
                that its address in REDIS_URL is right and that the releaser can reach it.
                """)
        report([incident])
        let alert = alert(incident)
        let outage = Outage(incident)
        worker.deliveries.begin {
            await outage.tell(by: self.channels) { channel, attempts in await self.send(alert, by: channel, attempts: attempts) }
        }
        return outage
    }
}
