// Part of queue.js: a place told by server-sent events, for as long as these get through.

const PUSH_FIRST = 8_000; // within which the first event comes, unless something in between holds it back
const PUSH_SILENCE = 45_000; // the server says something every 30 s
const PUSH_TRIES = 3;
const PUSH_AGAIN = 30_000;
const PUSH_AGAIN_LONGEST = 900_000;

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
