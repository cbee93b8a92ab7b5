// Asks for a queue's admin key, once a tab: it is kept in the tab's storage and never in an address.
import { call, element, field, kept, reason, Refused, say, setText } from "/scripts/walk_in.js";

const tab = kept("sessionStorage", "key");
const desks = kept("localStorage", "desk");

/** Answers with `{key, desk}` as soon as a key opens the queue. Shows a form in `app` unless the tab knows one. */
export async function opened(app, { asksDesk }) {
  const known = tab.get();
  if (known) {
    try {
      await call("GET", "today", { key: known.key });
      return known;
    } catch (error) {
      if (!(error instanceof Refused)) return known;
      tab.set(null);
    }
  }
  return new Promise((resolve) => {
    const key = element("input", { type: "password", autocomplete: "off", required: true, dir: "ltr", spellcheck: false });
    const desk = element("input", { type: "text", maxlength: "40", autocomplete: "off", dir: "auto", value: desks.get() ?? "" });
    const problem = element("p", { class: "problem", role: "alert" });
    const open = async (event) => {
      event.preventDefault();
      const text = key.value.trim();
      try {
        await call("GET", "today", { key: text });
      } catch (error) {
        setText(problem, error instanceof Refused && error.status === 403 ? say("desk_wrong_key") : reason(error));
        return key.focus();
      }
      const session = { key: text, desk: desk.value.trim() };
      tab.set(session);
      if (asksDesk) desks.set(session.desk);
      app.replaceChildren();
      resolve(session);
    };
    app.replaceChildren(
      element(
        "form", { class: "card", novalidate: true, onsubmit: open }, element("h2", {}, say("desk_sign_in")),
        field(say("desk_key"), key, say("desk_key_hint")), asksDesk ? field(say("desk_name"), desk, say("desk_name_hint")) : null, problem,
        element("button", { class: "main" }, say("desk_open"))));
    key.focus();
  });
}

/** Forgets the key. */
export const close = () => tab.set(null);
