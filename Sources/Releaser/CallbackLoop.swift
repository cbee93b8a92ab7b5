import CoreMetrics
import Foundation
import Logging
import Redis
import WaitingRoom

/// Delivers the callbacks that one queue owes: claims what is due, sends it, settles it. A callback that is claimed and not settled,
/// because this worker died, comes due again when its lease is over.
struct CallbackLoop: Sendable {
    let worker: Worker
    let queue: Identifier
    let tenant: Identifier
    /// Raised when people were let in.
    let owed: Signal

    private static let batch = 64
    /// The outbox is looked at this often even when nothing said so.
    private static let longestPause = Duration.seconds(1)

    /// Runs until cancelled. Attempts under way go on; ``Worker`` waits for them.
    func run() async {
        while !Task.isCancelled {
            let pause: Duration
            do {
                pause = try await deliverDue()
            } catch {
                pause = Self.longestPause
            }
            if pause > .zero { await owed.wait(upTo: min(pause, Self.longestPause)) }
        }
    }

    /// Begins attempts for what is due.
    /// - Returns: when to look again.
    private func deliverDue() async throws -> Duration {
        let slots = worker.slots.take(Self.batch, for: tenant)
        guard slots > 0 else { return Self.longestPause }
        let claimed: (callbacks: [Callback], at: Timestamp, next: Duration?)
        do {
            let lease = Duration.seconds(worker.configuration.callbacks.timeoutSeconds + 5)
            claimed = try await worker.callbacks.claim(queue, limit: slots, lease: lease)
        } catch {
            worker.slots.giveBack(slots, of: tenant)
            throw error
        }
        worker.slots.giveBack(slots - claimed.callbacks.count, of: tenant)
        for callback in claimed.callbacks {
            worker.deliveries.begin {
                await deliver(callback, claimed: claimed.at)
                owed.raise()
            }
        }
        if claimed.callbacks.count == slots { return .zero }
        return max(.milliseconds(1), claimed.next ?? Self.longestPause)
    }

    private static let refused =
        "not sent: the site answered 410 (Gone) before; save its callback_url again, or send this again, once it wants callbacks"

    private func deliver(_ callback: Callback, claimed: Timestamp) async {
        var failed = false
        defer { worker.slots.end(tenant, failed: failed) }
        do {
            let message: Message
            switch try await prepare(callback, at: claimed) {
            case .send(let prepared): message = prepared
            case .settle(let outcome): return try await settle(callback, outcome)
            case .leave: return
            }
            let started = ContinuousClock.now
            let ending = await worker.sender.send(message.body, to: message.url, headers: message.headers)
            worker.metrics.callbackDuration.recordNanoseconds(started.duration(to: .now).milliseconds * 1_000_000)
            let outcome = outcome(of: ending, callback)
            if case .delivered = ending {
                worker.metrics.callbackSuccesses.increment()
            } else {
                failed = true
                worker.metrics.callbackFailures.increment()
            }
            if case .failed(_, _, _, isFinal: true) = ending {
                try await worker.tenants.refuseCallbacks(to: message.url, of: tenant)
            }
            try await settle(callback, outcome)
        } catch {
            // Not settled: the lease brings it back.
            worker.logger.debug("A callback could not be settled", metadata: ["error": "\(error)"])
        }
    }

    /// A delivered callback that cannot be settled would be sent again: worth a few tries while Redis comes back.
    private func settle(_ callback: Callback, _ outcome: Callbacks.Outcome) async throws {
        if case .dead(let error, _) = outcome {
            worker.metrics.deadLetters.increment()
            worker.logger.warning(
                "Callback given up",
                metadata: [
                    "entry_id": "\(callback.entry)", "queue_id": "\(queue)", "attempts": "\(callback.attempts + 1)", "error": "\(error)",
                ])
        }
        for pause in [100, 500, 2000] {
            do {
                _ = try await worker.callbacks.settle(callback, tenant: tenant, outcome)
                return
            } catch {
                try await Task.sleep(for: .milliseconds(pause))
            }
        }
        _ = try await worker.callbacks.settle(callback, tenant: tenant, outcome)
    }

    private func outcome(of ending: CallbackSender.Ending, _ callback: Callback) -> Callbacks.Outcome {
        switch ending {
        case .delivered(let status): return .delivered(status: status)
        case .failed(let error, let status, let retryAfter, let isFinal):
            guard !isFinal, let pause = worker.retries.pause(after: callback.attempts + 1, asked: retryAfter) else {
                return .dead(error: error, status: status)
            }
            return .retry(delay: pause, error: error, status: status)
        }
    }

    private struct Message {
        let url: String
        let body: String
        let headers: [(name: String, value: String)]
    }

    private enum Preparation {
        case send(Message)
        /// There is nothing to send, or no way to.
        case settle(Callbacks.Outcome)
        /// Not now: the lease brings it back.
        case leave
    }

    /// - Parameter time: the time of this attempt by Redis's clock: receivers refuse what a wrong one would sign.
    private func prepare(_ callback: Callback, at time: Timestamp) async throws -> Preparation {
        var recent = try await worker.tenants.recent(tenant)
        // Somebody may have said otherwise just now, and sent this again.
        if recent?.callbacksAreRefused == true { recent = try await worker.tenants.get(tenant) }
        guard let tenant = recent, let url = tenant.callbackURL, let queue = try await worker.queues.recent(queue) else {
            return .settle(.dropped)
        }
        // Switched off just now. All that is owed waits until the tenant is on again; this worker lets the queue go in a moment.
        guard tenant.isActive else { return .leave }
        if tenant.callbacksAreRefused { return .settle(.dead(error: Self.refused, status: 410)) }
        let ticket = Ticket(
            queue: queue.id, entry: callback.entry, sequence: callback.sequence, joined: callback.joined, epoch: queue.epoch,
            visitor: callback.visitor)
        let pass = try Pass(callback, of: queue, at: time).map(worker.passes.sign)
        let body = callback.body(
            token: worker.queues.signer.sign(ticket), redirectURL: queue.redirectURL ?? tenant.redirectURL, pass: pass
        ).text
        let secrets = worker.tenants.signingSecrets(of: tenant)
        guard
            let headers = WebhookSignature.headers(
                id: callback.id(epoch: queue.epoch), seconds: time.milliseconds / 1000, body: body, secrets: secrets)
        else { return .settle(.dead(error: "the application's secret was sealed under another SECRET_KEY", status: nil)) }
        return .send(Message(url: url, body: body, headers: headers))
    }
}
