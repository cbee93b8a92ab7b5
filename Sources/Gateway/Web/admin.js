// The dashboard: sends its forms to the API, keeps figures live, shows times as the reader's clock has them.
const config = JSON.parse(document.getElementById("anteroom-config").textContent);
const notice = document.getElementById("notice");
const formats = {
  clock: new Intl.DateTimeFormat(config.lang, { timeStyle: "medium" }),
  full: new Intl.DateTimeFormat(config.lang, { dateStyle: "medium", timeStyle: "medium" }),
  short: new Intl.DateTimeFormat(config.lang, { hour: "2-digit", minute: "2-digit" }),
  day: new Intl.DateTimeFormat(config.lang, { day: "numeric", month: "short" }),
};

const say = (key, values = {}) => (config.words[key] ?? "").replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

function tell(text, kind = "") {
  if (notice.textContent !== text) notice.textContent = text;
  notice.dataset.kind = kind;
  notice.hidden = !text;
}

/** Writes every time under `root` as the reader's clock has it. */
function localize(root) {
  for (const each of root.querySelectorAll("[datetime], [data-time]")) {
    const moment = new Date(each.getAttribute("datetime") ?? each.dataset.time);
    each.textContent = formats[each.dataset.format].format(moment);
  }
}

// MARK: Forms

/** Gives a control for a moment its value, which is without a zone. */
for (const control of document.querySelectorAll("[data-moment]")) {
  const moment = new Date(control.dataset.moment);
  if (!Number.isNaN(moment.getTime())) {
    control.value = new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  }
}

/** What a form's control gives, in the type that the API wants. */
function valueOf(control) {
  switch (control.dataset.type) {
    case "number": return Number(control.value);
    case "flag": return control.checked;
    case "number-or-null": return control.value.trim() === "" ? null : Number(control.value);
    case "time-or-null": return control.value === "" ? null : new Date(control.value).toISOString();
    case "text-or-null": return control.value.trim() === "" ? null : control.value;
    default: return control.value;
  }
}

function request(form) {
  const [method, path] = form.dataset.api.split(" ");
  const controls = Array.from(form.elements).filter((each) => each.name);
  const headers = { "X-Anteroom-Page": "1" };
  let body;
  if (form.dataset.as === "form") body = new URLSearchParams(controls.map((each) => [each.name, each.value]));
  else if (controls.length || method === "PUT") {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(Object.fromEntries(controls.map((each) => [each.name, valueOf(each)])));
  }
  return fetch(path, { method, headers, body, signal: AbortSignal.timeout(15_000), cache: "no-store" });
}

/** What an error of the API says, for people. */
function reason(body, status) {
  if (Array.isArray(body?.detail)) return body.detail.map((each) => `${each.loc?.at(-1) ?? ""}: ${each.msg}`).join(" · ");
  return body?.detail ?? `HTTP ${status}`;
}

/** Shows keys that are told this once, and stays until the reader goes on. */
function showOnce(form, answer) {
  const list = document.createElement("dl");
  list.className = "facts secrets";
  for (const key of form.dataset.shows.split(" ")) {
    const term = document.createElement("dt");
    const value = document.createElement("dd");
    const code = document.createElement("code");
    term.textContent = say(`admin_${key}`);
    code.textContent = answer[key];
    value.dir = "ltr";
    value.append(code);
    list.append(term, value);
  }
  const text = document.createElement("p");
  text.textContent = say("admin_shown_once");
  const done = document.createElement("button");
  done.type = "button";
  done.textContent = say("admin_kept");
  done.addEventListener("click", () => location.reload());
  const box = document.createElement("div");
  box.className = "notice once";
  box.tabIndex = -1;
  box.append(text, list, done);
  form.replaceWith(box);
  box.focus();
}

async function submit(form) {
  const problem = form.querySelector(".problem");
  const button = form.querySelector("button:not([type=button])");
  const part = form.closest("[data-live]");
  if (form.dataset.confirm && !confirm(form.dataset.confirm)) return;
  problem.textContent = "";
  button.disabled = true;
  try {
    const response = await request(form);
    const body = await response.json().catch(() => null);
    if (!response.ok) {
      problem.textContent = reason(body, response.status);
      return;
    }
    if (form.dataset.shows) return showOnce(form, body);
    if (form.dataset.then !== undefined) {
      const next = form.dataset.then.replace("{id}", body?.id ?? "");
      if (next) location.assign(next);
      else location.reload();
      return;
    }
    if (document.querySelector("[data-live]")) {
      tell(say("admin_saved"));
      // A look that is under way may have been asked for before the change. One that fails is told by those that follow.
      await running?.catch(() => {});
      await refresh().catch(() => {});
    } else {
      sessionStorage.setItem("anteroom:saved", "1");
      location.reload();
    }
  } catch {
    problem.textContent = say("admin_unreachable");
  } finally {
    button.disabled = false;
    // A button that was disabled or replaced has lost the focus, which would be back at the page's start.
    if (document.activeElement === document.body) {
      if (part) part.tabIndex = -1;
      (button.isConnected ? button : part)?.focus({ preventScroll: true });
    }
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.dataset.api) return;
  event.preventDefault();
  submit(event.target);
});

// MARK: Keeping live

const shown = new Map(Array.from(document.querySelectorAll("[data-live]"), (each) => [each.dataset.live, each.innerHTML]));
let failures = 0;
let running = null;

/** Fetches this page anew and shows what has changed in its live parts. */
async function look() {
  const response = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(10_000) });
  if (response.status === 401) return location.reload();
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const html = fresh.querySelector(`[data-live="${part.dataset.live}"]`)?.innerHTML;
    if (html === undefined || html === shown.get(part.dataset.live)) continue;
    // Nothing is taken from under a reader's fingers; a scrolled table stays where it is.
    if (part !== document.activeElement && part.contains(document.activeElement)) continue;
    const scrolled = part.querySelector(".scroll")?.scrollLeft ?? 0;
    shown.set(part.dataset.live, html);
    part.innerHTML = html;
    localize(part);
    const table = part.querySelector(".scroll");
    if (table) table.scrollLeft = scrolled;
  }
}

const refresh = () => (running ??= look().finally(() => (running = null)));

async function keepLive() {
  try {
    if (document.visibilityState === "visible") await refresh();
    if (failures > 1) tell("");
    failures = 0;
  } catch {
    failures += 1;
    if (failures > 1) tell(say("admin_lost"), "bad");
  }
  setTimeout(keepLive, 3000 * (1 + Math.min(failures, 9)));
}

// MARK: Staying signed in

/** A session lasts an hour from its last renewal, a day in all. */
async function renew() {
  try {
    const last = Number(sessionStorage.getItem("anteroom:renewed") ?? 0);
    if (Date.now() - last < 600_000) return;
    sessionStorage.setItem("anteroom:renewed", String(Date.now()));
    await fetch("/auth/refresh", { method: "POST", headers: { "X-Anteroom-Page": "1" } });
  } catch {
    // The next look says so.
  }
}

localize(document);
if (sessionStorage.getItem("anteroom:saved")) {
  sessionStorage.removeItem("anteroom:saved");
  tell(say("admin_saved"));
}
if (config.signedIn) {
  renew();
  setInterval(renew, 60_000);
  if (shown.size) setTimeout(keepLive, 3000);
}
