// Part of queue.js: what the browser keeps of a place, so that a reload or another tab finds it again.

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
