// Part of queue.js: what is shown of a place.

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
