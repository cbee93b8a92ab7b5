// Part of queue.js: the work that a queue may ask for before it gives a place.

/**
 * Looks for a text: the SHA-256 of `challenge`, a colon and that text begins with `bits` zero bits. Returns a function that tries so many more
 * and gives the text, or null. It uses nothing around it, so that its own text is the program of a worker.
 */
function searcher(challenge, bits) {
  const constants = new Int32Array(64);
  const start = new Int32Array(8);
  for (let number = 2, found = 0; found < 64; number += 1) {
    let divisor = 2;
    while (divisor * divisor <= number && number % divisor) divisor += 1;
    if (divisor * divisor <= number) continue;
    if (found < 8) start[found] = Math.sqrt(number) * 2 ** 32;
    constants[found++] = Math.cbrt(number) * 2 ** 32;
  }

  const words = new Int32Array(64);
  function hash(state, bytes, offset) {
    for (let i = 0; i < 16; i += 1) {
      const at = offset + i * 4;
      words[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    }
    for (let i = 16; i < 64; i += 1) {
      const x = words[i - 15];
      const y = words[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      words[i] = (words[i - 16] + s0 + words[i - 7] + s1) | 0;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i += 1) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + constants[i] + words[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
  }

  // What all tries begin with is hashed once.
  const head = new TextEncoder().encode(`${challenge}:`);
  const whole = head.length - (head.length % 64);
  for (let offset = 0; offset < whole; offset += 64) hash(start, head, offset);
  const rest = head.length - whole;
  const tail = new Uint8Array(128);
  tail.set(head.subarray(whole));
  const view = new DataView(tail.buffer);
  const state = new Int32Array(8);
  let number = 0;

  return (tries) => {
    for (; tries > 0; tries -= 1) {
      const text = String(number++);
      tail.fill(0, rest);
      for (let i = 0; i < text.length; i += 1) tail[rest + i] = text.charCodeAt(i);
      const length = rest + text.length;
      const end = length < 56 ? 64 : 128;
      tail[length] = 0x80;
      view.setUint32(end - 4, (whole + length) * 8);
      state.set(start);
      for (let offset = 0; offset < end; offset += 64) hash(state, tail, offset);
      const zeros = Math.clz32(state[0]);
      if ((zeros < 32 ? zeros : 32 + Math.clz32(state[1])) >= bits) return text;
    }
    return null;
  };
}

/** Solves a challenge beside the page, or where a policy forbids that, between what else the page does. `signal` ends the search. */
async function solve(challenge, bits, signal) {
  return (await solveBeside(challenge, bits, signal)) ?? solveBetween(searcher(challenge, bits), signal);
}

/** Resolves with null where there can be no worker. */
function solveBeside(challenge, bits, signal) {
  const program = `const search = (${searcher})(...${JSON.stringify([challenge, bits])});
    for (let found = null; found === null;) if ((found = search(1e5)) !== null) postMessage(found);`;
  return new Promise((done, stop) => {
    const address = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
    let worker = null;
    const end = (settle, value) => {
      worker?.terminate();
      URL.revokeObjectURL(address);
      settle(value);
    };
    try {
      worker = new Worker(address);
      worker.onmessage = (event) => end(done, event.data);
      worker.onerror = () => end(done, null);
      signal.addEventListener("abort", () => end(stop, signal.reason), { once: true });
    } catch {
      end(done, null);
    }
  });
}

async function solveBetween(search, signal) {
  for (;;) {
    // A page out of sight gets a turn once a second.
    const until = performance.now() + (document.hidden ? 500 : 20);
    while (performance.now() < until) {
      const found = search(500);
      if (found !== null) return found;
    }
    await new Promise((next) => setTimeout(next));
    signal.throwIfAborted();
  }
}
