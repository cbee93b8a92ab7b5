// Part of queue.js: what a screen reader says of a place. Each change would be too much to listen to.

const COUNTDOWN_SPOKEN = [86_400, 3600, 1800, 600, 300, 60, 10];

/** Says what matters of one place when it does. */
class Narrator {
  constructor(wording, screen) {
    this.wording = wording;
    this.screen = screen;
    this.position = null;
    this.phase = "";
    this.why = null;
    this.opensIn = Infinity;
  }

  /**
   * Says the place at first, at each step of the last five and at each quarter of the way before, and why nothing moves or the time has risen.
   * @param {object} state position, phase ("" for none), why (the time has risen, or null), opensAt (a moment, or null).
   */
  tell({ position, phase, why, opensAt }, now) {
    const last = this.position;
    const isPhaseNew = phase + opensAt !== this.phase;
    const isWhyNew = why !== null && why !== this.why;
    const isPlaceNew = last === null || (position !== last && (position <= 5 || position <= last * 0.75));
    this.phase = phase + opensAt;
    this.why = why;
    if (!isPhaseNew && !isPlaceNew && !isWhyNew) return;
    this.position = position;
    const place = this.wording.numbers.format(position);
    const parts = [
      isPhaseNew && opensAt !== null && this.countdown(opensAt, now),
      isPhaseNew && phase && this.wording.text(`${phase}_text`),
      position > 0 && this.wording.text("announce", { place, time: this.screen.time.value.textContent }),
      isWhyNew && this.wording.text(`time_${why}`),
    ];
    this.screen.announce(parts.filter(Boolean).join(" "));
  }

  /** Says some times on the way how long it is until the opening. */
  tellCountdown(opensAt, now) {
    const before = this.opensIn;
    const text = this.countdown(opensAt, now);
    if (COUNTDOWN_SPOKEN.some((mark) => before > mark && this.opensIn <= mark)) this.screen.announce(text);
  }

  countdown(opensAt, now) {
    this.opensIn = (opensAt - now) / 1000;
    return this.wording.text("opens_in", { time: this.screen.opensIn(this.opensIn) });
  }
}
