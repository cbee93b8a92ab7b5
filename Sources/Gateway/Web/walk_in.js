// What the pages of a walk-in line share: words, numbers, calls of the API, elements, and the clock that keeps them live.
export const config = JSON.parse(document.getElementById("anteroom-config").textContent);

const base = `/api/${encodeURIComponent(config.tenant)}/${encodeURIComponent(config.queue)}`;
const plurals = new Intl.PluralRules(config.lang);
const numbers = new Intl.NumberFormat(config.lang);
const clock = new Intl.DateTimeFormat(config.lang, { hour: "2-digit", minute: "2-digit" });

// MARK: Words

/** The page's words for `key`, with `{name}` and so on filled in. */
export function say(key, values = {}) {
  return (config.words[key] ?? "").replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** The words for a number of things, in the form that the language has for it. */
export function counted(key, count) {
  const form = count === 0 && `${key}_zero` in config.words ? "zero" : plurals.select(count);
  return say(`${key}_${form}` in config.words ? `${key}_${form}` : `${key}_other`, { count: number(count) });
}

export const number = (value) => numbers.format(value);

export const time = (text) => clock.format(new Date(text));

/** How long `minutes` are, for people. */
export function duration(minutes) {
  const whole = Math.ceil(minutes);
  if (whole < 1) return say("widget_time_soon");
  if (whole < 60) return say("widget_time_about", { time: counted("widget_minutes", whole) });
  const hours = counted("widget_hours", Math.floor(whole / 60));
  const rest = whole % 60;
  const text = rest ? say("widget_hours_minutes", { hours, minutes: counted("widget_minutes", rest) }) : hours;
  return say("widget_time_about", { time: text });
}

/** "Desk 3"; a desk named in words is called by them alone. */
export const deskName = (desk) => (/^[\p{N}\p{L}]{1,3}$/u.test(desk) ? say("line_desk", { desk }) : desk);

// MARK: The API

/** An answer that is not a success; `message` is for people. */
export class Refused extends Error {
  constructor(status, body) {
    super(body?.error ?? `HTTP ${status}`);
    this.status = status;
  }
}

/** Calls the API under this queue, or `path` itself when it begins with a slash. Throws `Refused`, or a TypeError when it cannot be reached. */
export async function call(method, path, { body, key, headers = {}, as = "json" } = {}) {
  const response = await fetch(path.startsWith("/") ? path : `${base}/${path}`, {
    method,
    headers: {
      ...headers,
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...(key ? { "X-Admin-Key": key } : {}),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
    cache: "no-store",
  });
  if (!response.ok) throw new Refused(response.status, await response.json().catch(() => null));
  return response.status === 204 ? null : response[as]();
}

/** What went wrong, for people. */
export const reason = (error) => (error instanceof Refused ? say("line_failed", { reason: error.message }) : say("line_unreachable"));

// MARK: Elements

/** An element with properties (`class`, `dataset`, `on…` and attributes) and children, texts among them. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(made.dataset, value);
    else if (name in made && typeof value !== "string") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Sets a text, and only when it differs, so that nothing is announced or selected anew. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** Makes the children of `list` show `items`, by `id`, keeping the elements of those that stay. */
export function show(list, items, make, update) {
  const known = new Map(Array.from(list.children, (child) => [child.dataset.id, child]));
  let before = list.firstElementChild;
  for (const item of items) {
    let row = known.get(item.id);
    if (row) known.delete(item.id);
    else {
      row = make(item);
      row.dataset.id = item.id;
    }
    if (row !== before) list.insertBefore(row, before);
    else before = before.nextElementSibling;
    update(row, item);
  }
  for (const row of known.values()) row.remove();
}

/** A labelled field of a form, with a hint below. */
export function field(label, control, hint) {
  const id = `field-${Math.random().toString(36).slice(2)}`;
  control.id = id;
  if (hint) control.setAttribute("aria-describedby", `${id}-hint`);
  return element(
    "p", { class: "field" }, element("label", { for: id }, label), control,
    hint ? element("span", { class: "hint", id: `${id}-hint` }, hint) : null);
}

const notice = document.getElementById("notice");

/** Says something above the page; nothing hides it again. */
export function tell(text, kind = "") {
  setText(notice, text ?? "");
  notice.dataset.kind = kind;
  notice.hidden = !text;
}

const message = element("p", { id: "message", class: "notice", role: "status", dir: "auto", hidden: true });
document.getElementById("app").before(message);

/** Shows the operator's line above the page; nothing hides it again. */
export function showMessage(text) {
  setText(message, text ?? "");
  message.hidden = !text;
}

// MARK: Keeping live

/**
 * Runs `work` now, every `pause` ms, and when the page is looked at again. Failures make the pauses longer and are told once, with the
 * contact being lost and found again.
 */
export function keepLive(work, pause) {
  let timer = 0;
  let failures = 0;
  let running = null;
  const round = async () => {
    clearTimeout(timer);
    let next = pause;
    try {
      await work();
      if (failures > 1) tell("");
      failures = 0;
    } catch (error) {
      failures += 1;
      if (error instanceof Refused && error.status < 500 && error.status !== 429) tell(reason(error), "bad");
      else if (failures > 1) tell(say("line_lost"), "bad");
      next = Math.min(30_000, pause * 2 ** Math.min(failures, 4)) * (0.75 + Math.random() / 2);
    }
    timer = setTimeout(start, next);
  };
  const start = () => (running ??= round().finally(() => (running = null)));
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && start());
  addEventListener("online", start);
  start();
  return {
    /** Looks again without waiting: once what is under way has ended, so that what is shown is not older than this call. */
    async now() {
      await running;
      await start();
    },
  };
}

// MARK: Storage that may be forbidden

/** What a browser (`localStorage`) or a tab (`sessionStorage`) keeps for this queue. */
export function kept(storage, name) {
  const key = `anteroom:${name}:${config.tenant}/${config.queue}`;
  const attempt = (work) => {
    try {
      return work(window[storage]);
    } catch {
      return null;
    }
  };
  return {
    get: () => attempt((store) => JSON.parse(store.getItem(key))),
    set: (value) => attempt((store) => (value === null ? store.removeItem(key) : store.setItem(key, JSON.stringify(value)))),
  };
}

// MARK: Sound

let audio = null;

/** Lets `chime` be heard: browsers want a tap or a key before they make a sound. */
export function allowSound() {
  audio ??= new AudioContext();
  return audio.resume();
}

/** Two notes. */
export function chime() {
  if (audio?.state !== "running") return;
  for (const [index, pitch] of [784, 587].entries()) {
    const start = audio.currentTime + index * 0.35;
    const tone = new OscillatorNode(audio, { frequency: pitch });
    const volume = new GainNode(audio, { gain: 0 });
    volume.gain.setValueAtTime(0, start);
    volume.gain.linearRampToValueAtTime(0.4, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, start + 0.9);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 1);
  }
}
