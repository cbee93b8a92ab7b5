// Part of queue.js: what a request comes to that is not answered well, and what then is worth another try.

const RETRY_AFTER_LONGEST = 300_000;

// What a join is refused for, as a state and in words of its own.
const REFUSALS = {
  queue_closed: ["closed"],
  invitation_required: ["uninvited", "invitation_required"],
  invitation_refused: ["uninvited", "invitation_refused"],
  invitation_used: ["uninvited", "invitation_used"],
  challenge_required: ["refused", "challenge"],
  challenge_failed: ["refused", "challenge"],
  challenge_used: ["refused", "challenge"],
};

/** An answer that is not a success, or no answer at all (status 0). */
class Failure extends Error {
  constructor(status, code, retryAfter) {
    super(code || (status ? `HTTP ${status}` : "no contact"));
    this.status = status;
    this.code = code;
    this.retryAfter = Math.min(Number(retryAfter) * 1000 || 0, RETRY_AFTER_LONGEST);
  }

  /** Whether the service wants work done before it gives a place. */
  get isChallenge() {
    return this.status === 403 && ["challenge_required", "challenge_failed", "challenge_used"].includes(this.code);
  }

  /** Whether asking again may help. Whoever holds a place loses it only by the service's own word, not by a proxy's. */
  isTemporary(holdsPlace) {
    if (holdsPlace) return !(this.code && (this.status === 404 || this.status === 422));
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}
