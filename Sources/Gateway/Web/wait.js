// Drives the hosted waiting page: reads what the server wrote into the page, keeps a visitor id, joins.
(() => {
  "use strict";

  const config = JSON.parse(document.getElementById("anteroom-config").textContent);
  const numbers = new Intl.NumberFormat(config.lang);

  /** The id in the page's address (a website that knows its visitor put it there), else one made here and kept. */
  function visitorId() {
    const given = new URLSearchParams(location.search).get("visitor_id");
    if (given && given.length <= 64) return given;
    const made = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    try {
      const kept = localStorage.getItem("anteroom:visitor") ?? made;
      localStorage.setItem("anteroom:visitor", kept);
      return kept;
    } catch {
      return made;
    }
  }

  /** Another language keeps the rest of the address: the queue, the way back and the visitor. */
  function keepAddressInLanguageLinks() {
    for (const link of document.querySelectorAll("a[data-lang]")) {
      const address = new URL(location.href);
      address.searchParams.set("lang", link.dataset.lang);
      link.href = address.href;
    }
  }

  // The script also starts by itself when an address happens to name a queue and a visitor; here the page decides.
  QueueManager.current?.destroy();

  const title = document.title;
  const room = new QueueManager({
    apiKey: config.apiKey,
    lang: config.lang,
    theme: config.theme,
    returnTo: config.returnTo,
    invitation: new URLSearchParams(location.search).get("invitation"),
  });
  const retitle = (lead) => {
    document.title = lead ? `${lead} · ${title}` : title;
  };
  room.addEventListener("position", (event) => retitle(event.detail.position > 0 && numbers.format(event.detail.position)));
  room.addEventListener("ready", () => retitle("✓"));
  for (const ended of ["expired", "cancelled"]) room.addEventListener(ended, () => retitle(""));

  keepAddressInLanguageLinks();
  room.joinQueue(config.queueId, visitorId());
})();
