// The desk of a walk-in line: one clerk, one tab. Every button is one call of the API; what is shown is asked for again after it.
import { close, opened } from "/scripts/admin_key.js";
import { call, config, counted, deskName, element, field, keepLive, number, reason, say, setText, show, tell, time } from "/scripts/walk_in.js";

const app = document.getElementById("app");
const { key, desk } = await opened(app, { asksDesk: true });
const post = (verb, body = {}) => call("POST", verb, { key, body: { ...(desk ? { desk } : {}), ...body } });
const get = (path) => call("GET", path, { key });

// MARK: Who is at this desk

const currentName = element("p", { class: "current-name", dir: "auto" });
const currentMore = element("p", { class: "advice", dir: "auto" });
const nextType = element("select", { "aria-label": say("desk_next_type") });
const button = (verb, kind = "") =>
  element("button", { type: "button", class: kind, dataset: { verb }, onclick: () => step(verb) }, say(`desk_${verb.replace("-", "_")}`));
const next = element("button", { type: "button", class: "main", dataset: { verb: "call-next" }, onclick: callNext }, say("desk_next"));
const withCurrent = ["recall", "serve", "no-show", "return"].map((verb) => button(verb));
const undo = button("undo", "quiet");
const target = element("select");
const move = element(
  "form", { class: "desk-transfer", onsubmit: transfer }, field(say("desk_transfer_to"), target), element("button", {}, say("desk_transfer")));

let current = null;
let isBusy = false;

/** Runs one step and shows what came of it. One at a time: a second press while the first is under way is not a second step. */
async function take(work, words) {
  if (isBusy) return;
  isBusy = true;
  app.setAttribute("aria-busy", "true");
  try {
    tell(words(await work()), "good");
  } catch (error) {
    tell(reason(error), "bad");
  } finally {
    await live.now();
    isBusy = false;
    app.removeAttribute("aria-busy");
  }
}

const done = (verb) => ({ entry }) => say(`desk_done_${verb}`, { name: entry.name });

function step(verb, user) {
  return take(() => post(verb, user ? { user_id: user } : {}), done(verb));
}

function callNext() {
  const type = nextType.value ? { service_type_id: nextType.value } : {};
  return take(() => post("call-next", type), ({ called }) => (called ? say("desk_done_call", { name: called.name }) : say("desk_empty")));
}

function transfer(event) {
  event.preventDefault();
  const [kind, id] = target.value.split(" ");
  const body = { user_id: current?.id, ...(kind === "queue" ? { queue_id: id } : { service_type_id: id || null }) };
  return take(() => post("transfer", body), done("transfer"));
}

// MARK: Customers without a phone

const newName = element("input", { type: "text", maxlength: "200", required: true, dir: "auto", autocomplete: "off" });
const newType = element("select");
const newTypeField = field(say("desk_add_type"), newType);
const newcomer = element(
  "form", { class: "desk-transfer", onsubmit: add }, field(say("desk_add_name"), newName), newTypeField,
  element("button", {}, say("desk_add_button")));

function add(event) {
  event.preventDefault();
  return take(async () => {
    const body = { name: newName.value, ...(newType.value ? { service_type_id: newType.value } : {}) };
    const joined = await call("POST", "join", { key, body });
    newName.value = "";
    newName.focus();
    return joined;
  }, ({ entry, position }) => say("desk_done_add", { name: entry.name, place: number(position) }));
}

// MARK: The line, the other desks, what happened

const figures = Object.fromEntries(["waiting", "joined", "called_today", "left", "average"].map((name) => [name, element("dd")]));
const list = element("ol", { class: "waiting" });
const listMore = element("p", { class: "advice" });
const others = element("ul", { class: "others" });
const othersPart = element("section", {}, element("h2", {}, say("desk_others")), others);
const recent = element("ul", { class: "recent" });
const person = () =>
  element(
    "li", {}, element("span", { class: "rank" }), element("bdi", { class: "name" }), element("span", { class: "type" }),
    element("span", { class: "when" }));

function fillPerson(row, { position, name, service_type_name: type, joined_at: joined }) {
  setText(row.querySelector(".rank"), number(position));
  setText(row.querySelector(".name"), name);
  setText(row.querySelector(".type"), type ?? "");
  setText(row.querySelector(".when"), time(joined));
}

function makeEvent({ event_type: kind, user_id: user }) {
  return element(
    "li", {}, element("span", { class: "when" }), element("bdi", { class: "name" }), element("span", { class: "what" }),
    kind === "NO_SHOW" ? element("button", { type: "button", class: "quiet", onclick: () => step("return", user) }, say("desk_return")) : null);
}

function fillEvent(row, { event_type: kind, timestamp, meta }) {
  setText(row.querySelector(".when"), time(timestamp));
  setText(row.querySelector(".name"), meta.name);
  const what = [say(`desk_event_${kind}`), meta.desk && deskName(meta.desk), meta.undo && `(${say("desk_undo")})`];
  setText(row.querySelector(".what"), what.filter(Boolean).join(" · "));
}

async function exportDay() {
  try {
    const table = await call("GET", "events.csv", { key, as: "blob" });
    const link = element("a", { href: URL.createObjectURL(table), download: `${config.queue}.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  } catch (error) {
    tell(reason(error), "bad");
  }
}

// MARK: Settings

const types = element("ul", { class: "types" });
const code = element("input", { type: "text", maxlength: "16", required: true, dir: "ltr", autocomplete: "off" });
const typeName = element("input", { type: "text", maxlength: "100", required: true, dir: "auto", autocomplete: "off" });
const names = element(
  "select", { onchange: () => take(() => call("PUT", queuePath, { key, body: { names: names.value } }), () => "") },
  ...["full", "initials", "hidden"].map((value) => element("option", { value }, say(`desk_names_${value}`))));
const queuePath = `/api/${encodeURIComponent(config.tenant)}/queues/${encodeURIComponent(config.queue)}`;

function addType(event) {
  event.preventDefault();
  return take(async () => {
    await call("POST", "service-types", { key, body: { code: code.value, name: typeName.value } });
    code.value = typeName.value = "";
    code.focus();
  }, () => "");
}

const deleteType = (id) => take(() => call("DELETE", `service-types/${id}`, { key }), () => "");

function makeType({ id, code, name }) {
  return element(
    "li", {}, element("bdi", {}, `${code} · ${name}`),
    element("button", { type: "button", class: "quiet", "aria-label": say("desk_type_delete", { name }), onclick: () => deleteType(id) }, "×"));
}

/** Sets what a select offers, keeping what is chosen. */
function offer(select, options) {
  const wanted = JSON.stringify(options);
  if (select.dataset.offered === wanted) return;
  select.dataset.offered = wanted;
  const chosen = select.value;
  select.replaceChildren(
    ...options.map(([label, choices]) => {
      const made = choices.map(([value, text]) => element("option", { value }, text));
      return label ? element("optgroup", { label }, ...made) : made;
    }).flat());
  select.value = chosen;
  if (select.selectedIndex < 0) select.selectedIndex = 0;
}

// MARK: The page

function leaveDesk() {
  close();
  location.reload();
}

const figure = (name) => element("div", {}, element("dt", {}, say(`desk_${name}`)), figures[name]);
app.append(
  element(
    "div", { class: "desk-page" },
    element("div", {}, element(
      "section", { class: "card desk-current" }, element("h2", {}, desk ? `${say("desk_current")}: ${deskName(desk)}` : say("desk_current")),
      currentName, currentMore, element("div", { class: "desk-next" }, next, nextType),
      element("div", { class: "desk-steps" }, ...withCurrent, undo), move),
    element(
      "section", { class: "card" }, element("h2", {}, say("desk_recent")), recent,
      element("button", { type: "button", class: "quiet", onclick: exportDay }, say("desk_export")))),
    element(
      "div", {}, element("dl", { class: "figures card" }, ...Object.keys(figures).map(figure)),
      element("section", { class: "card" }, element("h2", {}, say("desk_list")), list, listMore, element("h3", {}, say("desk_add")), newcomer, othersPart),
      element(
      "details", { class: "card desk-settings" }, element("summary", {}, say("desk_settings")), element("h3", {}, say("desk_types")), types,
      element(
        "form", { class: "desk-transfer", onsubmit: addType }, field(say("desk_type_code"), code), field(say("desk_type_name"), typeName),
        element("button", {}, say("desk_type_add"))),
      field(say("desk_names"), names)),
      element("p", {}, element("button", { type: "button", class: "quiet", onclick: leaveDesk }, say("desk_sign_out"))))));

const live = keepLive(async () => {
  const [calls, waiting, today, events, offered, siblings, settings] = await Promise.all([
    get("calls"), get("list?limit=50"), get("today"), get("events?limit=15"), get("service-types"),
    get(`/api/${encodeURIComponent(config.tenant)}/queues`), get(queuePath),
  ]);
  current = calls.calls.find((one) => one.status === "called" && (one.desk ?? "") === desk) ?? null;
  setText(currentName, current ? current.name : "—");
  setText(currentMore, current
    ? [current.service_type_name, counted("desk_times", current.times_called), say("desk_since", { time: time(current.called_at) })]
      .filter(Boolean).join(" · ")
    : say("desk_none"));
  for (const one of withCurrent) one.disabled = !current;
  move.hidden = !current;

  const typeOptions = offered.service_types.map((one) => [one.id, one.name]);
  offer(nextType, [[null, [["", say("desk_any")], ...typeOptions]]]);
  offer(newType, [[null, [["", say("place_type_none")], ...typeOptions]]]);
  nextType.hidden = newTypeField.hidden = !typeOptions.length;
  const queues = siblings.queues.filter((one) => one.queue_id !== config.queue).map((one) => [`queue ${one.queue_id}`, one.name]);
  const moves = [
    [say("desk_transfer_types"), typeOptions.length ? [...typeOptions.map(([id, name]) => [`type ${id}`, name]), ["type ", say("desk_transfer_none")]] : []],
    [say("desk_transfer_queues"), queues],
  ].filter(([, choices]) => choices.length);
  offer(target, moves);
  move.hidden ||= !moves.length;

  show(list, waiting.queue, person, fillPerson);
  const rest = waiting.count - waiting.queue.length;
  setText(listMore, waiting.count === 0 ? say("line_nobody") : rest > 0 ? counted("kiosk_more", rest) : "");
  const elsewhere = calls.calls.filter((one) => one.desk !== null && one.desk !== desk).map((one) => ({ ...one, id: one.desk }));
  show(others, elsewhere, () => element("li", {}, element("bdi", { class: "desk" }), element("bdi", { class: "name" }), element("span", { class: "what" })),
    (row, one) => {
      setText(row.querySelector(".desk"), deskName(one.desk));
      setText(row.querySelector(".name"), one.name);
      setText(row.querySelector(".what"), say(`desk_status_${one.status}`));
    });
  othersPart.hidden = !elsewhere.length;
  show(recent, events.events, makeEvent, fillEvent);

  setText(figures.waiting, number(today.waiting));
  setText(figures.joined, number(today.joined));
  setText(figures.called_today, number(today.called));
  setText(figures.left, number(today.expired + today.cancelled));
  setText(figures.average, number(Math.round(today.average_minutes * 10) / 10));
  show(types, offered.service_types, makeType, () => {});
  if (document.activeElement !== names) names.value = settings.names ?? "full";
}, 2000);
