import Logging
import WaitingRoom

/// Looks after the catalogue: what was deleted goes for good after the retention time, and application secrets that are sealed under an
/// older `SECRET_KEY` are sealed under the current one.
///
/// The worker that is the first by name of those alive does it, so that it costs the same with ten workers as with one.
struct CatalogueCare: Sendable {
    let worker: Worker
    let secret: SecretKey

    /// Runs until cancelled.
    func run() async {
        var told: Resealing.Outcome?
        // Often enough that nothing stays for longer than a twentieth beyond its time.
        let pause = Duration.seconds(min(60, max(1, worker.configuration.retentionHours * 3600 / 20)))
        // Among the living, or the first look would be left to nobody.
        _ = try? await worker.locks.beat()
        while !Task.isCancelled {
            do {
                if try await worker.locks.isFirst() {
                    let gone = try await Purge(redis: worker.redis).run(retentionHours: worker.configuration.retentionHours)
                    if gone > 0 { worker.logger.info("Removed what was deleted", metadata: ["queues_and_applications": "\(gone)"]) }
                    if secret.isRotating { told = try await reseal(told) }
                }
            } catch {
                worker.logger.debug("A look at the catalogue failed; the next one follows", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: pause)
        }
    }

    /// Tells what an operator waits for who wants to take the older key away: that nothing needs it any more.
    private func reseal(_ told: Resealing.Outcome?) async throws -> Resealing.Outcome {
        let resealing = Resealing(redis: worker.redis, secret: secret)
        var outcome = try await resealing.run()
        if outcome.resealed > 0 {
            worker.logger.info(
                "Application secrets were sealed under the first key of SECRET_KEY", metadata: ["count": "\(outcome.resealed)"])
            outcome = try await resealing.run()
        }
        guard outcome != told else { return outcome }
        if outcome.resealed == 0 { worker.logger.info("No application secret needs another key of SECRET_KEY than the first") }
        if outcome.lost > 0 {
            worker.logger.warning(
                "Application secrets were sealed under no key of SECRET_KEY: give these applications new keys",
                metadata: ["count": "\(outcome.lost)"])
        }
        return outcome
    }
}
