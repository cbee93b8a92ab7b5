// The screen of a walk-in line: who is called to which desk, who is next, and the QR code to join by.
import { opened } from "/scripts/admin_key.js";
import { allowSound, call, chime, config, counted, deskName, element, keepLive, number, say, setText, show, showMessage, time } from "/scripts/walk_in.js";

const SHOWN = 5; // of those who wait

const calls = element("ul", { class: "calls" });
const nobody = element("p", { class: "advice calls-none" }, say("kiosk_nobody_called"));
const spoken = element("p", { class: "unseen", role: "alert" });
const waiting = element("ol", { class: "waiting" });
const more = element("p", { class: "advice" });
const count = element("p", { class: "waiting-count" });
const now = element("p", { class: "clock" });
const sound = element("button", { class: "quiet", type: "button", "aria-pressed": "false", onclick: switchSound }, say("kiosk_sound_on"));
const full = element("button", { class: "quiet", type: "button", onclick: () => document.documentElement.requestFullscreen?.() }, say("kiosk_full"));
const code = `/api/${encodeURIComponent(config.tenant)}/${encodeURIComponent(config.queue)}/qr`;

const app = document.getElementById("app");
const key = config.isPublic ? undefined : (await opened(app, { asksDesk: false })).key;
app.append(
  element(
    "div", { class: "kiosk" },
    element("section", { class: "card kiosk-calls", "aria-label": say("kiosk_called") }, element("h2", {}, say("kiosk_called")), calls, nobody, spoken),
    element("section", { class: "card", "aria-label": say("kiosk_next") }, element("h2", {}, say("kiosk_next")), count, waiting, more),
    config.isPublic
      ? element(
        "section", { class: "card kiosk-code" }, element("img", { src: code, alt: say("kiosk_qr", { address: config.address }), width: "240", height: "240" }),
        element("p", {}, say("kiosk_scan")), element("p", { class: "address", dir: "ltr" }, config.address.replace(/^https?:\/\//, "")))
      : null),
  element("div", { class: "kiosk-foot" }, now, sound, full));

let isLoud = false;

async function switchSound() {
  isLoud = !isLoud;
  if (isLoud) await allowSound().catch(() => {});
  sound.setAttribute("aria-pressed", String(isLoud));
  setText(sound, say(isLoud ? "kiosk_sound_off" : "kiosk_sound_on"));
  if (isLoud) chime();
}

/** What has been announced: the person, the desk and how often they were called. */
let announced = null;

function announce(called) {
  const news = called.filter((one) => one.status === "called");
  const marks = new Set(news.map((one) => `${one.id} ${one.desk} ${one.times_called}`));
  const fresh = announced ? news.filter((one) => !announced.has(`${one.id} ${one.desk} ${one.times_called}`)) : [];
  announced = marks;
  if (!fresh.length) return;
  if (isLoud) chime();
  spoken.textContent = fresh.map(
    (one) => (one.desk ? say("kiosk_announce", { name: one.name, desk: deskName(one.desk) }) : say("kiosk_announce_plain", { name: one.name }))).join(" ");
  for (const one of fresh) {
    const row = Array.from(calls.children).find((child) => child.dataset.id === one.id);
    row?.classList.remove("fresh");
    requestAnimationFrame(() => row?.classList.add("fresh"));
  }
}

const person = () => element("li", {}, element("bdi", { class: "name" }), element("span", { class: "type" }), element("bdi", { class: "desk" }));

function fill(row, { name, service_type_name: type, desk }) {
  setText(row.querySelector(".name"), name);
  setText(row.querySelector(".type"), type ?? "");
  setText(row.querySelector(".desk"), desk ? deskName(desk) : "");
}

keepLive(async () => {
  const [called, list] = await Promise.all([call("GET", "calls", { key }), call("GET", `list?limit=${SHOWN}`, { key })]);
  show(calls, called.calls.slice(0, SHOWN), person, (row, one) => {
    fill(row, one);
    row.dataset.status = one.status;
  });
  nobody.hidden = called.count > 0;
  showMessage(list.message);
  announce(called.calls);
  show(waiting, list.queue, person, fill);
  setText(count, list.count ? counted("line_people", list.count) : say("line_nobody"));
  const rest = list.count - list.queue.length;
  setText(more, rest > 0 ? counted("kiosk_more", rest) : "");
  setText(now, time(Date.now()));
}, 2000);

navigator.wakeLock?.request("screen").catch(() => {});
