// Part of queue.js: what visitors are told of time. What was said is not taken back without a reason.

const LATE_LEAST = 60_000; // a forecast that is less later is absorbed
const LATE_PART = 1 / 3;
const LATE_PATIENCE = 30_000;
const REASON_SHOWN = 300_000;

/** The moment of a text of the service, which leaves the zone out where it is UTC. */
function moment(text) {
  return Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`);
}

/** The server's clock, as far as its answers tell: a visitor's own may be wrong by hours. */
class ServerClock {
  constructor() {
    this.offset = 0;
  }

  now() {
    return Date.now() + this.offset;
  }

  /** Notes a time that is exact to the second. */
  hear(time) {
    if (Number.isFinite(time) && Math.abs(time - this.now()) > 1500) this.offset = time - Date.now();
  }
}

/** The waiting time as shown. It counts down with the clock, and a later forecast changes it only with a reason to name. */
class ShownTime {
  /** @param {object} [kept] `held` of an earlier page. */
  constructor(kept) {
    this.held = Number.isFinite(kept?.high) ? kept : null;
    this.lateSince = null;
    this.reason = null;
  }

  /** Notes the forecast of an entry. All but `eta_seconds` may be missing. */
  hear(entry, now) {
    const { eta_seconds: likely = null, eta_low_seconds: low = likely, eta_high_seconds: high = likely } = entry;
    const at = (seconds) => (seconds === null ? null : now + seconds * 1000);
    const next = { low: at(low), likely: at(likely), high: at(high), rate: entry.max_users_per_minute ?? null, phase: entry.phase ?? null };
    const held = this.held;
    if (held === null) return this.take(next);
    // A pause has a sentence of its own, and no forecast.
    const isSlower = next.phase !== "paused" && next.rate !== null && next.rate < held.rate;
    if (held.rate !== null && next.rate > held.rate && this.reason === "slower") this.reason = null;
    if (next.high === null || held.high === null) return this.take(next, now, isSlower ? "slower" : null);
    const isLater = next.high > held.high || next.likely > held.likely;
    if (isLater && isSlower) return this.take(next, now, "slower");
    // The page counts down to the opening, which may have been put off.
    if (next.phase === "pre_queue") return this.take(next);
    if (isLater && next.phase !== null && next.phase !== held.phase) return this.take(next);
    if (!this.isLate(next, now)) this.lateSince = null;
    else if (now - (this.lateSince ??= now) >= LATE_PATIENCE) return this.take(next, now, "longer");
    const earlier = (field) => Math.min(held[field], next[field]);
    this.held = { ...(isLater ? held : next), low: earlier("low"), likely: earlier("likely"), high: earlier("high") };
  }

  take(next, now, reason = null) {
    this.held = next;
    this.lateSince = null;
    if (next.high === null) this.reason = null;
    if (reason === null) return;
    this.reason = reason;
    this.reasonEnd = now + REASON_SHOWN;
  }

  isLate(next, now) {
    return ["likely", "high"].some((field) => {
      const shown = Math.max(this.held[field] - now, 0);
      const rise = next[field] - now - shown;
      return rise > LATE_LEAST && rise > shown * LATE_PART;
    });
  }

  /** Seconds left: the least, and the most where that is known. */
  left(now) {
    const seconds = (time) => (time === null || time === undefined ? null : Math.max((time - now) / 1000, 0));
    return { low: seconds(this.held?.low), high: seconds(this.held?.high) };
  }

  /** Why the time has risen: "slower", "longer", or null. */
  why(now) {
    return now < this.reasonEnd ? this.reason : null;
  }
}

/** Puts times into the words of a catalogue. */
class TimeWords {
  constructor(wording) {
    this.wording = wording;
    this.moments = new Intl.DateTimeFormat(wording.lang, { dateStyle: "full", timeStyle: "short" });
  }

  /** A waiting time, rounded up: nobody minds being early. */
  estimate({ low, high }) {
    const { wording } = this;
    if (low === null) return wording.text("time_unknown");
    if (high === null) return wording.text("time_least", { time: this.minutes(Math.floor(low / 60)) });
    if (high < 60) return wording.text("time_soon");
    if (low === high) return wording.text("time_about", { time: this.minutes(Math.ceil(high / 60)) });
    const from = this.round(low / 60, Math.floor);
    const to = this.round(high / 60, Math.ceil);
    if (from === to || to === 1) return wording.text("time_about", { time: this.minutes(to) });
    if (from === 0) return wording.text("time_most", { time: this.minutes(to) });
    if (to < 60) return wording.counted("between_minutes", to, from);
    if (from % 60 === 0 && to % 60 === 0) return wording.counted("between_hours", to / 60, from / 60);
    return wording.text("time_between", { low: this.minutes(from), high: this.minutes(to) });
  }

  /** The further away, the coarser. */
  round(minutes, towards) {
    const step = minutes < 20 ? 1 : minutes < 60 ? 5 : minutes < 180 ? 15 : minutes < 720 ? 30 : 60;
    return towards(minutes / step) * step;
  }

  minutes(minutes) {
    if (minutes < 60) return this.wording.counted("minutes", minutes);
    return this.pair("hours", Math.floor(minutes / 60), "minutes", minutes % 60);
  }

  /** The time until a moment, in its two largest units. */
  countdown(seconds) {
    const all = Math.ceil(seconds);
    if (all >= 86_400) return this.pair("days", Math.floor(all / 86_400), "hours", Math.floor(all / 3600) % 24);
    if (all >= 3600) return this.pair("hours", Math.floor(all / 3600), "minutes", Math.floor(all / 60) % 60);
    if (all >= 60) return this.pair("minutes", Math.floor(all / 60), "seconds", all % 60);
    return this.wording.counted("seconds", all);
  }

  /** For how long something is kept. */
  roughly(seconds) {
    if (seconds < 117) return this.countdown(Math.max(Math.round(seconds / 5), 1) * 5);
    return this.countdown(Math.round(seconds / 60) * 60);
  }

  pair(large, count, small, rest) {
    const first = this.wording.counted(large, count);
    if (rest === 0) return first;
    return this.wording.text(`${large}_${small}`, { [large]: first, [small]: this.wording.counted(small, rest) });
  }
}
