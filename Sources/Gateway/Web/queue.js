// Anteroom's waiting room for any web page. Defines the global class QueueManager; when the address of the page
// carries `queue_id` and `visitor_id`, and the script was loaded with `app_id`, it starts by itself.
(() => {
"use strict";

const SERVED = /*@config*/null || {};
const SCRIPT = document.currentScript;

// Loaded once more, perhaps in another language, the script only adds its words.
if (window.QueueManager?.languages) {
  window.QueueManager.languages.set(SERVED.lang, SERVED);
  return;
}
const languages = new Map([[SERVED.lang, SERVED]]);

const REQUEST_TIMEOUT = 15_000;
const POLL_DEFAULT = 5_000;
const POLL_LONGEST = 60_000; // far inside the ten minutes after which a silent visitor is given up
const POLL_HIDDEN = 15_000;
const RETRY_FIRST = 1_000;
const RETRY_LONGEST = 30_000;
const FULL_ENDS = 5_000; // a full site has room for a moment each time that somebody leaves
const CHALLENGES = 3;

// @include style

// @include keepsake

// @include failure

// @include push

function webAddress(text) {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url : null;
  } catch {
    return null;
  }
}

/** Adds the pass without touching the rest of the query, which the site may have signed. */
function withPass(url, pass) {
  if (!pass) return url.href;
  const kept = url.search.slice(1).split("&").filter((pair) => pair && !pair.startsWith("queue_pass="));
  url.search = [...kept, `queue_pass=${encodeURIComponent(pass)}`].join("&");
  return url.href;
}

function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// @include wording

// @include times

// @include challenge

// @include screen

// @include narrator

/**
 * One visitor's way through one queue. An EventTarget: `position`, `ready`, `expired`, `cancelled` and `error`,
 * each a CustomEvent with its facts in `detail`. `ready` can be prevented to stay on the page.
 */
class QueueManager extends EventTarget {
  /**
   * @param {object} options apiKey, callbackUrl, lang, theme ("light", "dark", "auto"), pollInterval (least milliseconds
   * between polls; the server's wish is kept when longer), apiBaseUrl (default: where this script came from),
   * element (node or selector, default `#queue-status`), returnTo (wins over the queue's redirect address), invitation (a code to
   * join with).
   */
  constructor(options = {}) {
    super();
    const scriptBase = SCRIPT?.src && new URL("..", SCRIPT.src).href;
    this.apiKey = options.apiKey ?? SERVED.apiKey;
    this.callbackUrl = options.callbackUrl ?? SERVED.callbackUrl;
    this.returnTo = options.returnTo;
    this.invitation = options.invitation;
    this.lang = options.lang ?? SERVED.lang ?? "en";
    this.theme = options.theme ?? SERVED.theme ?? "light";
    this.pollInterval = Number(options.pollInterval) || 0;
    this.apiBaseUrl = String(options.apiBaseUrl ?? scriptBase ?? SERVED.apiBaseUrl ?? location.origin).replace(/\/+$/, "");
    this.entry = null;
    this._element = options.element;
    this._listeners = new AbortController();
    this._clock = new ServerClock();
    this._run = 0;
    this._listen();
  }

  /**
   * Takes a place, or finds the one this browser already holds, and keeps asking for it.
   * Resolves with the entry, or with null when the first try failed: temporary failures are retried, `error` events tell.
   */
  async joinQueue(queueId, visitorId) {
    this.stopPolling();
    this._reset();
    const run = this._run;
    this.queueId = String(queueId);
    this.visitorId = String(visitorId);
    await learn(this.lang, this.apiBaseUrl);
    if (run !== this._run) return null;
    this._wording = new Wording(this.lang);
    this._keepsake = new Keepsake(this.queueId, this.visitorId);
    this._time = new ShownTime(this._keepsake.values.time);
    this._screen ??= this._makeScreen();
    this._screen.show("joining");
    this._polling = true;
    return this.checkStatus();
  }

  /** Asks once, now. Resolves with the entry, or with null when there is none or no contact. */
  checkStatus() {
    if (!this._keepsake) return Promise.resolve(null);
    this._asking ??= this._ask(this._run);
    return this._asking;
  }

  /** Listens to the server; where that does not work, keeps asking as often as the server wishes. */
  startPolling() {
    if (!this._keepsake || this._polling) return;
    this._polling = true;
    this.checkStatus();
  }

  /** Stops asking and listening; the place is given up by the server after its time of silence. */
  stopPolling() {
    this._polling = false;
    clearTimeout(this._timer);
    clearInterval(this._ticking);
    this._ticking = null;
    this._stopPush();
  }

  /** Gives the place up. Resolves with whether that was done: without contact, or when it is the visitor's turn already, it was not. */
  async cancel() {
    const token = this._keepsake?.values.token;
    if (!token) return false;
    const run = this._run;
    this._stopPush(); // it might tell first
    const failure = await this._send("POST", "/cancel", { body: { token } }).catch((error) => error);
    if (run !== this._run) return !failure; // a poll that was on its way told first
    if (failure?.status === 404) return (await this.checkStatus())?.status === "rejected";
    if (!failure) {
      this._finish("cancelled");
      return true;
    }
    const text = this._wording.text("leave_failed");
    this._screen.notify(text);
    this._screen.announce(text);
    this._emit("error", { error: failure, status: failure.status, retrying: false });
    this._schedule();
    return false;
  }

  /** Stops everything and takes the widget off the page. The place itself stays. */
  destroy() {
    this.stopPolling();
    this._reset();
    this._keepsake = null;
    this._listeners.abort();
    this._screen?.host.replaceChildren();
    if (this._ownsElement) this._screen.host.remove();
    this._screen = null;
  }

  _listen() {
    const signal = this._listeners.signal;
    document.addEventListener("visibilitychange", () => this._schedule(), { signal });
    window.addEventListener("online", () => this._askInstead(), { signal });
    window.addEventListener("offline", () => this._askInstead(), { signal });
    window.addEventListener("storage", (event) => {
      const endedElsewhere = event.key === this._keepsake?.key && event.newValue === null;
      if (endedElsewhere) this._askInstead();
    }, { signal });
  }

  _makeScreen() {
    let host = typeof this._element === "string" ? document.querySelector(this._element) : this._element;
    host ??= document.getElementById("queue-status");
    if (!host) {
      host = document.createElement("div");
      host.id = "queue-status";
      document.body.append(host);
      this._ownsElement = true;
    }
    return new Screen(host, this._wording, this.theme, {
      leave: () => this.cancel(),
      again: () => this.joinQueue(this.queueId, this.visitorId),
    });
  }

  _reset() {
    this._run += 1; // answers that belong to an earlier run are dropped
    this._ending?.abort();
    this._ending = new AbortController();
    this._asking = null;
    this._full = null;
    this._failures = 0;
    this._narrator = null;
    this._shown = null;
    this._pushAfter = 0;
    this._pushPause = PUSH_AGAIN;
    this.entry = null;
  }

  async _ask(run) {
    clearTimeout(this._timer);
    const answer = await (this._keepsake.values.token ? this._status() : this._join()).catch((failure) => failure);
    if (run !== this._run) return null;
    this._asking = null;
    this._askedAt = Date.now();
    const isEntry = typeof answer?.status === "string";
    if (isEntry) this._receive(answer);
    else this._fail(answer instanceof Failure ? answer : new Failure(0));
    this._schedule();
    return isEntry ? answer : null;
  }

  async _join() {
    const { signal } = this._ending;
    for (let challenges = 0; ; challenges += 1) {
      try {
        return await this._sendJoin();
      } catch (failure) {
        if (!failure.isChallenge || challenges === CHALLENGES) throw failure;
        this._screen.show("checking");
        const { challenge, bits } = await this._send("GET", `/challenge?queue_id=${encodeURIComponent(this.queueId)}`);
        // One challenge gives one place: kept, it is used again until there is an answer, by the next page if need be.
        const proof = { challenge, solution: await solve(challenge, bits, signal) };
        signal.throwIfAborted();
        this._keepsake.update({ proof });
      }
    }
  }

  _sendJoin() {
    // Written before it is sent: a reload in the middle of a join finds the same place again.
    if (!this._keepsake.values.idempotencyKey) this._keepsake.update({ idempotencyKey: randomKey() });
    return this._send("POST", "/join", {
      headers: { "X-API-Key": this.apiKey ?? "", "Idempotency-Key": this._keepsake.values.idempotencyKey },
      body: { queue_id: this.queueId, visitor_id: this.visitorId, invitation: this.invitation || undefined, ...this._keepsake.values.proof },
    });
  }

  _status() {
    return this._send("GET", `/queue_status?token=${encodeURIComponent(this._keepsake.values.token)}`);
  }

  async _send(method, path, { headers = {}, body } = {}) {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), REQUEST_TIMEOUT);
    if (body) headers["Content-Type"] = "application/json";
    try {
      const answer = await fetch(this.apiBaseUrl + path, {
        method, headers, body: body && JSON.stringify(body), signal: controller.signal, cache: "no-store",
      });
      this._clock.hear(Date.parse(answer.headers.get("Date")) + 500);
      const content = answer.status === 204 ? null : await answer.json().catch(() => null);
      if (!answer.ok) throw new Failure(answer.status, content?.code, answer.headers.get("Retry-After"));
      return content;
    } catch (error) {
      throw error instanceof Failure ? error : new Failure(0);
    } finally {
      clearTimeout(timer);
    }
  }

  _receive(entry) {
    const recovered = this._failures > 0;
    this._failures = 0;
    this._wish = entry.poll_after_ms ?? POLL_DEFAULT;
    this.entry = entry;
    if (entry.status === "ready") return this._ready(entry);
    if (entry.status === "expired") return this._finish("expired");
    if (entry.status === "rejected") return this._finish("cancelled");
    this._waiting(entry);
    if (recovered && this._shown) this._screen.announce(this._wording.text("back"));
  }

  _waiting(entry) {
    entry = this._steady(entry);
    const kept = this._keepsake.values;
    const opensAt = entry.phase === "pre_queue" ? moment(entry.opens_at) : null;
    // Who comes before places are drawn has none, and is told exactly when that is.
    if (opensAt !== null && entry.position === 0) this._clock.hear(opensAt - entry.eta_seconds * 1000 + 500);
    const now = this._clock.now();
    if (kept.id !== entry.id) this._time = new ShownTime();
    this._time.hear(entry, now);
    const isNew = kept.id !== entry.id || entry.position === 0 || !kept.least;
    const first = isNew ? entry.position : kept.first;
    const position = isNew ? entry.position : Math.min(kept.least, entry.position);
    this._keepsake.update({ token: entry.token ?? kept.token, id: entry.id, first, least: position, time: this._time.held, proof: undefined });
    const detail = { position, etaSeconds: entry.eta_seconds ?? null, queueLength: entry.queue_length ?? null, entry };
    const phase = !entry.phase ? "" : opensAt === null ? entry.phase : position === 0 ? "drawn" : "early";
    const words = opensAt !== null ? "early" : position === 1 ? "next" : "waiting";
    const expires = entry.expires_at;
    this._screen.show("waiting", words, phase && this._wording.text(`${phase}_text`));
    this._screen.figuresOf({
      ...detail, progress: (first - position + 1) / (first + 1), message: entry.message, opensAt,
      keptSeconds: expires ? (moment(expires) - now) / 1000 : expires,
    });
    this._opensAt = opensAt;
    this._showTimes(now);
    this._narrator ??= new Narrator(this._wording, this._screen);
    this._narrator.tell({ position, phase, why: this._time.why(now), opensAt }, now);
    const shown = `${entry.id} ${position} ${entry.eta_seconds} ${phase}`;
    if (shown !== this._shown) this._emit("position", detail);
    this._shown = shown;
    this._ticking ??= setInterval(() => this._tick(), 1000);
  }

  /** The entry, or while a full site has room for a moment only, as if it had none. */
  _steady(entry) {
    if (entry.phase === "full") this._full = { entry, end: Date.now() + FULL_ENDS };
    else if (entry.phase || this._full?.end <= Date.now()) this._full = null;
    if (!this._full) return entry;
    const { phase, eta_seconds, eta_low_seconds, eta_high_seconds } = this._full.entry;
    return { ...entry, phase, eta_seconds, eta_low_seconds, eta_high_seconds };
  }

  _tick() {
    if (this.entry?.status !== "waiting") return;
    const hasRoom = this._full?.end <= Date.now() && this.entry.phase !== "full";
    if (hasRoom && this._failures === 0) this._waiting(this.entry);
    const now = this._clock.now();
    this._showTimes(now);
    if (this._opensAt !== null) this._narrator?.tellCountdown(this._opensAt, now);
  }

  _showTimes(now) {
    const opensIn = this._opensAt === null ? null : (this._opensAt - now) / 1000;
    this._screen.timesOf({ time: this._time.left(now), opensIn, why: this._time.why(now) });
  }

  _ready(entry) {
    this.stopPolling();
    this._keepsake.clear();
    const target = [this.returnTo, entry.redirect_url, this.callbackUrl].map(webAddress).find(Boolean);
    const href = target ? withPass(target, entry.pass) : null;
    if (href) this._screen.forward.href = href;
    this._screen.show("ready", href ? "ready" : "admitted");
    // The waiting page leaves the history: going back must not take a new place.
    if (this._emit("ready", { entry, redirectUrl: href }) && href) location.replace(href);
  }

  _finish(state, words = state) {
    this.stopPolling();
    this._reset();
    this._keepsake.clear();
    this._screen.show(state, words);
    if (state === "expired" || state === "cancelled") this._emit(state, {});
  }

  _fail(failure) {
    const holdsPlace = Boolean(this._keepsake.values.token);
    const retrying = failure.isTemporary(holdsPlace);
    this._emit("error", { error: failure, status: failure.status, retrying });
    if (!retrying && holdsPlace) return this._finish("missing");
    if (!retrying) return this._finish(...(REFUSALS[failure.code] ?? ["refused"]));
    this._failures += 1;
    const growing = Math.min(RETRY_FIRST * 2 ** (this._failures - 1), RETRY_LONGEST);
    this._wish = Math.max(growing * (0.5 + Math.random() / 2), failure.retryAfter * (1 + Math.random() / 4));
    const text = this._wording.text(holdsPlace ? "lost" : failure.status ? "busy" : "unreachable");
    this._screen.notify(text);
    if (this._failures === 1) this._screen.announce(text);
  }

  _listenToServer() {
    const token = encodeURIComponent(this._keepsake.values.token);
    this._push = new Push(`${this.apiBaseUrl}/queue_status/stream?token=${token}`, {
      status: (entry) => this._receive(entry),
      trouble: (failure) => this._fail(failure),
      end: (worked) => {
        this._push = null;
        this._pushPause = worked ? PUSH_AGAIN : Math.min(this._pushPause * 2, PUSH_AGAIN_LONGEST);
        this._pushAfter = Date.now() + this._pushPause * (0.5 + Math.random() / 2);
        this.checkStatus();
      },
    });
  }

  _stopPush() {
    this._push?.close();
    this._push = null;
  }

  /** Something may have changed: asks now, and listens again when the answer is there. */
  _askInstead() {
    if (!this._polling) return;
    this._stopPush();
    this.checkStatus();
  }

  _schedule() {
    clearTimeout(this._timer);
    if (!this._polling || this._asking || this._push) return;
    if (window.EventSource && this._failures === 0 && Date.now() >= this._pushAfter) return this._listenToServer();
    let wait = Math.max(this._wish, this.pollInterval);
    if (this._failures === 0) {
      if (document.hidden) wait = Math.max(wait, POLL_HIDDEN);
      wait = Math.min(wait, POLL_LONGEST);
    }
    this._timer = setTimeout(() => this.checkStatus(), Math.max(this._askedAt + wait - Date.now(), 0));
  }

  _emit(type, detail) {
    return this.dispatchEvent(new CustomEvent(type, { detail, cancelable: true }));
  }
}

/** The instance that started by itself from the address of the page, or null. */
QueueManager.current = null;
QueueManager.languages = languages;
window.QueueManager = QueueManager;

const address = new URLSearchParams(location.search);
const queueId = address.get("queue_id");
const visitorId = address.get("visitor_id");
if (SERVED.apiKey && queueId && visitorId) {
  const manager = (QueueManager.current = new QueueManager({ invitation: address.get("invitation") }));
  const start = () => manager.joinQueue(queueId, visitorId);
  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start, { once: true });
}
})();
