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
const RETRY_AFTER_LONGEST = 300_000;
const PUSH_FIRST = 8_000; // within which the first event comes, unless something in between holds it back
const PUSH_SILENCE = 45_000; // the server says something every 30 s
const PUSH_TRIES = 3;
const PUSH_AGAIN = 30_000;
const PUSH_AGAIN_LONGEST = 900_000;
const FULL_ENDS = 5_000; // a full site has room for a moment each time that somebody leaves
const CHALLENGES = 3;
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
const COUNTDOWN_SPOKEN = [86_400, 3600, 1800, 600, 300, 60, 10];

const STYLE = `
.anteroom{--aq-ink:#1c2733;--aq-soft:#55616e;--aq-card:#fff;--aq-line:#dfe3e8;--aq-accent:#0b6b63;--aq-on-accent:#fff;--aq-note:#f1f5f4;
box-sizing:border-box;max-width:30rem;padding:1.25rem;border:1px solid var(--aq-line);border-radius:1rem;
background:var(--aq-card);color:var(--aq-ink);font:1rem/1.5 system-ui,"Segoe UI",Roboto,"Noto Sans","Noto Sans Arabic",sans-serif;overflow-wrap:anywhere}
.anteroom[data-theme=dark]{--aq-ink:#edf2f4;--aq-soft:#a9b6bf;--aq-card:#182127;--aq-line:#33414a;--aq-accent:#6fd6c6;--aq-on-accent:#07231f;
--aq-note:#202c33;color-scheme:dark}
.anteroom [hidden]{display:none}
.anteroom p{margin:0}
.anteroom-heading{font-size:1.125rem;font-weight:650}
.anteroom-text,.anteroom-label{color:var(--aq-soft)}
.anteroom-figures{display:flex;flex-wrap:wrap;gap:.5rem 1.75rem;margin-top:.75rem}
.anteroom-label,.anteroom-value{display:block}
.anteroom-label{font-size:.875rem}
.anteroom-value{font-size:1.125rem;font-weight:650;font-variant-numeric:tabular-nums}
.anteroom-place .anteroom-value{color:var(--aq-accent);font-size:2.25rem;line-height:1.15}
.anteroom-opening{flex:1 0 100%}
.anteroom-countdown{display:block;color:var(--aq-accent);font-size:1.75rem;font-weight:650;line-height:1.25;font-variant-numeric:tabular-nums}
.anteroom-progress{height:.5rem;margin-top:1rem;border-radius:1rem;background:var(--aq-line);overflow:hidden}
.anteroom-bar{width:0;height:100%;border-radius:inherit;background:var(--aq-accent);transition:width .8s}
.anteroom .anteroom-message,.anteroom .anteroom-notice{margin-top:1rem;padding:.625rem .875rem;border-radius:.625rem;background:var(--aq-note)}
.anteroom-notice{box-shadow:inset .25rem 0 var(--aq-accent)}
.anteroom .anteroom-reason{margin-top:.75rem}
.anteroom .anteroom-kept{margin-top:1rem;color:var(--aq-soft);font-size:.875rem}
.anteroom-actions{display:flex;flex-wrap:wrap;gap:.5rem;margin-top:1rem}
.anteroom-question{flex:1 0 100%}
.anteroom-button{min-height:2.75rem;padding:.375rem 1rem;border:1px solid var(--aq-line);border-radius:.625rem;background:transparent;
color:inherit;font:inherit;font-weight:550;text-decoration:none;cursor:pointer;display:inline-flex;align-items:center}
.anteroom-button:hover{border-color:currentColor}
.anteroom-button:focus-visible{outline:3px solid var(--aq-accent);outline-offset:2px}
.anteroom-primary{border-color:var(--aq-accent);background:var(--aq-accent);color:var(--aq-on-accent)}
.anteroom-live{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media (prefers-reduced-motion:reduce){.anteroom-bar{transition:none}}`;

/** Adds the style once. A constructed sheet also passes a site's policy against inline styles. */
function installStyle() {
  if (installStyle.done) return;
  installStyle.done = true;
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  } catch {
    const style = document.createElement("style");
    style.textContent = STYLE;
    document.head.append(style);
  }
}

/** The most lasting storage that the browser lets this page use. */
const store = (() => {
  for (const kind of ["localStorage", "sessionStorage"]) {
    try {
      const storage = window[kind];
      storage.setItem("anteroom:probe", "1");
      storage.removeItem("anteroom:probe");
      return storage;
    } catch {
      continue;
    }
  }
  const memory = new Map();
  return {
    getItem: (key) => memory.get(key) ?? null,
    setItem: (key, value) => memory.set(key, value),
    removeItem: (key) => memory.delete(key),
  };
})();

/**
 * What is kept of one visitor's place in one queue: idempotency key, token, entry id, first and least place, the time shown, and until there
 * is a place the work done for it.
 */
class Keepsake {
  constructor(queueId, visitorId) {
    this.key = `anteroom:place:${queueId}:${visitorId}`;
    this.values = this.read() ?? {};
  }

  read() {
    try {
      const values = JSON.parse(store.getItem(this.key));
      return values && typeof values === "object" ? values : null;
    } catch {
      return null;
    }
  }

  update(changes) {
    const before = JSON.stringify(this.values);
    Object.assign(this.values, changes);
    const after = JSON.stringify(this.values);
    if (before === after) return;
    try {
      store.setItem(this.key, after);
    } catch {
      // A full storage costs the place after a reload, not the place itself.
    }
  }

  /** Forgets the place, unless another tab has taken a new one meanwhile. */
  clear() {
    const stored = this.read();
    if (!stored || stored.idempotencyKey === this.values.idempotencyKey) store.removeItem(this.key);
    this.values = {};
  }
}

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

/**
 * The server's own word on a place, for as long as that works: `status` gets each entry, `trouble` each Failure that may pass, and `end`
 * is called, with whether any event ever came, when it does not work (any more).
 */
class Push {
  constructor(address, { status, trouble, end }) {
    this.listeners = { status, trouble, end };
    this.tries = 0;
    this.source = new EventSource(address);
    this.source.onopen = () => this.opened();
    this.source.onerror = () => this.failed();
    this.source.addEventListener("status", (event) => this.hear(event));
    this.source.addEventListener("unavailable", () => {
      this.watch(PUSH_SILENCE);
      trouble(new Failure(503));
    });
    this.watch(PUSH_FIRST);
  }

  close() {
    clearTimeout(this.timer);
    this.source.close();
  }

  end() {
    this.close();
    this.listeners.end(Boolean(this.last));
  }

  watch(time) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.end(), time);
  }

  hear(event) {
    this.watch(PUSH_SILENCE);
    this.last = JSON.parse(event.data);
    this.listeners.status(this.last);
  }

  /** Connected again, the server does not repeat what was heard before. */
  opened() {
    if (this.tries > 0) this.watch(PUSH_SILENCE);
    if (this.tries > 1) this.listeners.status(this.last);
    this.tries = 0;
  }

  /** The browser connects again by itself, unless the answer was an error. */
  failed() {
    if (!this.last || this.source.readyState === EventSource.CLOSED || this.tries === PUSH_TRIES) return this.end();
    if (this.tries > 0) this.listeners.trouble(new Failure(0));
    this.tries += 1;
  }
}

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

/** Loads the words of a language that the script was not served in. Without them the served language stays. */
function learn(lang, base) {
  if (languages.has(lang)) return null;
  return new Promise((done) => {
    const script = document.createElement("script");
    script.src = `${base}/scripts/queue.js?lang=${encodeURIComponent(lang)}`;
    script.onload = script.onerror = done;
    document.head.append(script);
  });
}

/** A language's catalogue with its rules for numbers and plurals. */
class Wording {
  constructor(lang) {
    const served = languages.get(lang) ?? SERVED;
    this.messages = served.messages ?? {};
    this.lang = served.lang ?? "en";
    this.dir = served.dir ?? "ltr";
    this.numbers = new Intl.NumberFormat(this.lang);
    this.plurals = new Intl.PluralRules(this.lang);
  }

  text(key, values = {}) {
    const text = this.messages[`widget_${key}`] ?? "";
    return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  }

  /** @param {number} [low] where a span begins that ends with `count`. */
  counted(key, count, low) {
    const form = `${key}_${this.plurals.select(count)}`;
    const values = { count: this.numbers.format(count), low: low && this.numbers.format(low) };
    return this.text(`widget_${form}` in this.messages ? form : `${key}_other`, values);
  }
}

// @include times

// @include challenge

function make(tag, name, attributes = {}, ...children) {
  const element = document.createElement(tag);
  element.className = name.replace(/\S+/g, "anteroom-$&");
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Shows the state of a place inside one element. Text from outside only ever becomes a text node. */
class Screen {
  constructor(host, wording, theme, actions) {
    this.host = host;
    this.wording = wording;
    this.times = new TimeWords(wording);
    installStyle();
    host.classList.add("anteroom");
    host.lang = wording.lang;
    host.dir = wording.dir;
    const isDark = theme === "auto" ? matchMedia("(prefers-color-scheme: dark)").matches : theme === "dark";
    host.dataset.theme = isDark ? "dark" : "light";
    this.build(actions);
  }

  build(actions) {
    const button = (name, key, action) => {
      const element = make("button", `button ${name}`, { type: "button" }, this.wording.text(key));
      element.addEventListener("click", action);
      return element;
    };
    const figure = (name, key) => {
      const value = make("span", "value");
      return { value, box: make("p", `figure ${name}`, {}, make("span", "label", {}, this.wording.text(key)), value) };
    };
    this.heading = make("p", "heading", { tabindex: "-1" });
    this.text = make("p", "text");
    this.countdown = make("span", "countdown", { role: "timer" });
    this.opensAt = make("span", "label");
    this.opening = make("p", "figure opening", {}, make("span", "label", {}, this.wording.text("opening")), this.countdown, this.opensAt);
    this.place = figure("place", "place");
    this.time = figure("time", "time");
    this.length = figure("length", "length");
    this.figures = make("div", "figures", {}, this.opening, this.place.box, this.time.box, this.length.box);
    this.bar = make("div", "bar");
    this.progress = make("div", "progress", {
      role: "progressbar", "aria-label": this.wording.text("progress"), "aria-valuemin": "0", "aria-valuemax": "100",
    }, this.bar);
    this.reason = make("p", "reason");
    this.message = make("p", "message", { dir: "auto" });
    this.notice = make("p", "notice");
    this.kept = make("p", "kept");
    this.leave = button("leave", "leave", () => this.ask(true));
    this.yes = button("leave-yes", "leave_yes", actions.leave);
    this.no = button("primary leave-no", "leave_no", () => this.ask(false));
    this.question = make("div", "actions confirm", { role: "group", "aria-label": this.wording.text("leave") },
      make("p", "question", {}, this.wording.text("leave_ask")), this.no, this.yes);
    this.question.addEventListener("keydown", (event) => event.key === "Escape" && this.ask(false));
    this.again = button("primary again", "rejoin", actions.again);
    this.forward = make("a", "button primary forward", {}, this.wording.text("continue"));
    this.actions = make("div", "actions", {}, this.leave, this.again, this.forward);
    this.live = make("p", "live", { role: "status", "aria-live": "polite" });
    this.host.replaceChildren(this.heading, this.text, this.figures, this.progress, this.reason, this.message, this.notice, this.kept,
      this.actions, this.question, this.live);
  }

  /** Moves to a state, in the words that the catalogue has under `words`, with the buttons that help there. */
  show(state, words = state, text = this.wording.text(`${words}_text`)) {
    const changed = this.host.dataset.state !== state;
    const hadFocus = this.host.contains(document.activeElement);
    this.host.dataset.state = state;
    this.set(this.heading, this.wording.text(words));
    this.set(this.text, text);
    this.notify("");
    const waits = state === "waiting";
    this.figures.hidden = this.progress.hidden = !waits;
    if (!waits) for (const part of [this.reason, this.message, this.kept]) this.set(part, "");
    const asks = waits && !changed && !this.question.hidden;
    this.question.hidden = !asks;
    this.leave.hidden = !waits || asks;
    this.forward.hidden = words !== "ready";
    this.again.hidden = ["joining", "checking", "waiting", "ready", "uninvited"].includes(state);
    this.actions.hidden = this.leave.hidden && this.again.hidden && this.forward.hidden;
    if (!changed) return;
    this.announce(`${this.heading.textContent}. ${this.text.textContent}`);
    if (hadFocus) (this.again.hidden ? this.heading : this.again).focus();
  }

  set(element, text) {
    if (element.textContent !== text) element.textContent = text;
    element.hidden = !text;
  }

  figuresOf({ position, queueLength, progress, message, opensAt, keptSeconds }) {
    const { numbers } = this.wording;
    const hasPlace = position > 0;
    this.place.box.hidden = this.time.box.hidden = this.progress.hidden = !hasPlace;
    this.place.value.textContent = numbers.format(position);
    this.place.value.style.setProperty("--aq-digits", this.place.value.textContent.length);
    this.opening.hidden = opensAt === null;
    if (opensAt !== null) this.set(this.opensAt, this.times.moments.format(opensAt));
    this.set(this.length.value, hasPlace && queueLength > 0 ? numbers.format(queueLength) : "");
    this.length.box.hidden = this.length.value.hidden;
    this.progress.setAttribute("aria-valuenow", String(Math.round(progress * 100)));
    this.bar.style.width = `${(progress * 100).toFixed(1)}%`;
    this.set(this.message, message || "");
    this.set(this.kept, this.keptFor(keptSeconds));
  }

  /** What passes with the clock. `opensIn`: seconds, or null; `why` the time has risen, or null. */
  timesOf({ time, opensIn, why }) {
    this.set(this.time.value, this.times.estimate(time));
    this.set(this.reason, why === null ? "" : this.wording.text(`time_${why}`));
    if (opensIn !== null) this.set(this.countdown, this.opensIn(opensIn));
  }

  opensIn(seconds) {
    return seconds > 0 ? this.times.countdown(seconds) : this.wording.text("opening_now");
  }

  keptFor(seconds) {
    if (seconds === undefined) return "";
    return seconds === null ? this.wording.text("kept_always") : this.wording.text("kept", { time: this.times.roughly(seconds) });
  }

  notify(text) {
    this.set(this.notice, text);
  }

  announce(text) {
    if (this.live.textContent !== text) this.live.textContent = text;
  }

  ask(open) {
    this.question.hidden = !open;
    this.leave.hidden = open;
    this.actions.hidden = open;
    (open ? this.no : this.leave).focus();
  }
}

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
    this._phase = "";
    this._full = null;
    this._why = null;
    this._opensIn = Infinity;
    this._failures = 0;
    this._spoken = null;
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
    this._speak(position, phase, now);
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
    this._showTimes(this._clock.now());
    this._speakCountdown();
  }

  _showTimes(now) {
    const opensIn = this._opensAt === null ? null : (this._opensAt - now) / 1000;
    this._screen.timesOf({ time: this._time.left(now), opensIn, why: this._time.why(now) });
  }

  /**
   * Tells a screen reader when it matters: first, each step of the last five, each quarter of the way before, and why nothing moves or the
   * time has risen.
   */
  _speak(position, phase, now) {
    const last = this._spoken;
    const why = this._time.why(now);
    const isPhaseNew = phase + this._opensAt !== this._phase;
    const isWhyNew = why !== null && why !== this._why;
    const isPlaceNew = last === null || (position !== last && (position <= 5 || position <= last * 0.75));
    this._phase = phase + this._opensAt;
    this._why = why;
    if (!isPhaseNew && !isPlaceNew && !isWhyNew) return;
    this._spoken = position;
    const place = this._wording.numbers.format(position);
    const parts = [
      isPhaseNew && this._opensAt !== null && this._countdown(),
      isPhaseNew && phase && this._wording.text(`${phase}_text`),
      position > 0 && this._wording.text("announce", { place, time: this._screen.time.value.textContent }),
      isWhyNew && this._wording.text(`time_${why}`),
    ];
    this._screen.announce(parts.filter(Boolean).join(" "));
  }

  /** Says some times on the way how long it is until the opening. */
  _speakCountdown() {
    if (this._opensAt === null) return;
    const before = this._opensIn;
    const text = this._countdown();
    if (COUNTDOWN_SPOKEN.some((mark) => before > mark && this._opensIn <= mark)) this._screen.announce(text);
  }

  _countdown() {
    this._opensIn = (this._opensAt - this._clock.now()) / 1000;
    return this._wording.text("opens_in", { time: this._screen.opensIn(this._opensIn) });
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
