// The public page of a walk-in line: join, see your place live, be called, leave.
import {
  allowSound, call, chime, config, counted, deskName, duration, element, field, keepLive, kept, number, reason, Refused, say, setText, showMessage, tell,
} from "/scripts/walk_in.js";

const app = document.getElementById("app");
const memory = kept("localStorage", "walk-in");
const title = document.title;
let mine = memory.get();
let shown = null;

// MARK: Joining

const name = element("input", { type: "text", maxlength: "200", autocomplete: "name", required: true, dir: "auto", enterkeyhint: "go" });
const type = element("select");
const problem = element("p", { class: "problem", role: "alert", id: "join-problem" });
const typeField = field(say("place_type"), type);
const joinButton = element("button", { class: "main" }, say("place_join"));
const inLine = element("p", { class: "advice" });
const form = element(
  "form", { class: "card", novalidate: true, onsubmit: join }, element("h2", {}, say("place_join_heading")), inLine,
  field(say("place_name"), name, say("place_name_hint")), typeField, problem, joinButton);

async function join(event) {
  event.preventDefault();
  const text = name.value.trim();
  setText(problem, text ? "" : say("place_name_missing"));
  name.setAttribute("aria-invalid", String(!text));
  if (!text) return name.focus();
  allowSound().catch(() => {});
  joinButton.disabled = true;
  // Kept until an answer came: pressing again after a lost answer finds the same place.
  join.proof ??= crypto.randomUUID();
  try {
    const body = { name: text, ...(type.value ? { service_type_id: type.value } : {}) };
    const joined = await call("POST", "join", { body, headers: { "Idempotency-Key": join.proof } });
    mine = { id: joined.entry.id, token: joined.token, name: text };
    memory.set(mine);
    join.proof = null;
    draw(joined);
    heading.focus();
    await live.now();
  } catch (error) {
    if (error instanceof Refused) join.proof = null;
    setText(problem, reason(error));
  } finally {
    joinButton.disabled = false;
  }
}

async function offer() {
  const [types, list] = await Promise.all([call("GET", "service-types"), call("GET", "list?limit=1")]);
  const chosen = type.value;
  type.replaceChildren(
    element("option", { value: "" }, say("place_type_none")),
    ...types.service_types.map((one) => element("option", { value: one.id }, one.name)));
  type.value = chosen;
  if (type.selectedIndex < 0) type.selectedIndex = 0;
  typeField.hidden = types.count === 0;
  setText(inLine, say("place_in_line", { count: number(list.count) }));
  showMessage(list.message);
}

// MARK: The place

const heading = element("h2", { tabindex: "-1" });
const text = element("p", { class: "place-text" });
const you = element("p", { class: "advice", dir: "auto" });
const place = element("dd", { class: "place-number" });
const wait = element("dd");
const figures = element(
  "dl", { class: "figures" }, element("div", {}, element("dt", {}, say("place_your")), place),
  element("div", {}, element("dt", {}, say("place_time")), wait));
const spoken = element("p", { class: "unseen", "aria-live": "polite" });
const leave = element("button", { class: "quiet", type: "button", onclick: () => ask(true) }, say("place_leave"));
const question = element(
  "div", { role: "group", hidden: true, "aria-label": say("place_leave") }, element("p", {}, say("place_leave_ask")),
  element("button", { class: "main", type: "button", onclick: () => ask(false) }, say("place_leave_no")), " ",
  element("button", { class: "quiet", type: "button", onclick: goAway }, say("place_leave_yes")));
const again = element("button", { class: "main", type: "button", onclick: startAgain }, say("place_again"));
const note = element("p", { class: "advice" }, say("place_note"));
const card = element(
  "section", { class: "card", "aria-labelledby": "place-heading" }, heading, text, you, figures, spoken, leave, question, again);
heading.id = "place-heading";

function ask(open) {
  question.hidden = !open;
  leave.hidden = open;
  (open ? question.querySelector("button") : leave).focus();
}

async function goAway() {
  try {
    const left = await call("POST", "leave", { body: { token: mine.token } });
    draw({ entry: left.entry, position: 0, eta_minutes: 0 });
    heading.focus();
  } catch (error) {
    tell(reason(error), "bad");
    await live.now();
  }
}

function startAgain() {
  mine = null;
  memory.set(null);
  shown = null;
  app.replaceChildren(form);
  document.title = title;
  name.focus();
  live.now();
}

function draw({ entry, position, eta_minutes: minutes }) {
  const state = entry.status;
  const waits = state === "waiting";
  if (!card.isConnected) app.replaceChildren(card, note);
  card.dataset.state = state;
  const desk = entry.desk ? deskName(entry.desk) : null;
  setText(heading, waits ? counted("place_ahead", position - 1) : say(`place_${state}`));
  setText(text, waits ? moved(entry)
    : state === "called" ? (desk ? say("place_called_text", { desk }) : say("place_called_plain")) : say(`place_${state}_text`));
  text.hidden = !text.textContent;
  setText(you, entry.name === mine.name ? "" : say("place_you", { name: entry.name }));
  you.hidden = !you.textContent;
  figures.hidden = !waits;
  note.hidden = !waits;
  leave.hidden = !waits || !question.hidden;
  if (!waits) question.hidden = true;
  again.hidden = waits || state === "called" || state === "no_show";
  if (waits) {
    setText(place, number(position));
    setText(wait, duration(minutes));
    setText(spoken, say("place_announce", { place: number(position), time: duration(minutes) }));
  } else setText(spoken, `${heading.textContent}. ${text.textContent}`);
  document.title = `${waits ? number(position) : state === "called" ? `🔔 ${heading.textContent}` : heading.textContent} · ${title}`;
  if (state === "called" && shown !== "called") {
    chime();
    navigator.vibrate?.([300, 150, 300]);
  }
  shown = state;
}

const moved = (entry) => (entry.queue_id === config.queue ? "" : say("place_moved", { queue: entry.queue_id }));

// MARK: Keeping live

async function look() {
  if (!mine) return offer();
  if (["served", "cancelled", "expired", "missing"].includes(shown)) return;
  try {
    const id = mine.id;
    const status = await call("GET", `status/${id}${mine.token ? `?token=${encodeURIComponent(mine.token)}` : ""}`);
    if (mine?.id === id && !["cancelled"].includes(shown)) draw(status);
    showMessage(status.message);
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 404) throw error;
    draw({ entry: { status: "missing", name: mine.name }, position: 0, eta_minutes: 0 });
  }
}

let live = { now: async () => {} };
if (config.isPublic || mine) {
  if (!mine) app.replaceChildren(form);
  live = keepLive(look, 3000);
} else {
  app.replaceChildren(
    element("section", { class: "card" }, element("h2", {}, say("place_private")), element("p", { class: "advice" }, say("place_private_text"))));
}
