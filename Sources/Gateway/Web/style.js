// Part of queue.js: how a place looks, on any site's page.

const STYLE = `
.anteroom{--aq-ink:#1c2733;--aq-soft:#55616e;--aq-card:#fff;--aq-line:#dfe3e8;--aq-accent:#0b6b63;--aq-on-accent:#fff;--aq-note:#f1f5f4;
box-sizing:border-box;max-width:30rem;padding:1.25rem;border:1px solid var(--aq-line);border-radius:1rem;
background:var(--aq-card);color:var(--aq-ink);font:1rem/1.5 system-ui,"Segoe UI",Roboto,"Noto Sans","Noto Sans Arabic",sans-serif;overflow-wrap:anywhere}
.anteroom[data-theme=dark]{--aq-ink:#edf2f4;--aq-soft:#a9b6bf;--aq-card:#182127;--aq-line:#33414a;--aq-accent:#6fd6c6;--aq-on-accent:#07231f;
--aq-note:#202c33;color-scheme:dark}
.anteroom [hidden]{display:none}
.anteroom p{margin:0}
.anteroom-heading{font-size:1.125rem;font-weight:650}
.anteroom-text,.anteroom-label{color:var(--aq-soft)}
.anteroom-figures{display:flex;flex-wrap:wrap;gap:.5rem 1.75rem;margin-top:.75rem}
.anteroom-label,.anteroom-value{display:block}
.anteroom-label{font-size:.875rem}
.anteroom-value{font-size:1.125rem;font-weight:650;font-variant-numeric:tabular-nums}
.anteroom-place .anteroom-value{color:var(--aq-accent);font-size:2.25rem;line-height:1.15}
.anteroom-opening{flex:1 0 100%}
.anteroom-countdown{display:block;color:var(--aq-accent);font-size:1.75rem;font-weight:650;line-height:1.25;font-variant-numeric:tabular-nums}
.anteroom-progress{height:.5rem;margin-top:1rem;border-radius:1rem;background:var(--aq-line);overflow:hidden}
.anteroom-bar{width:0;height:100%;border-radius:inherit;background:var(--aq-accent);transition:width .8s}
.anteroom .anteroom-message,.anteroom .anteroom-notice{margin-top:1rem;padding:.625rem .875rem;border-radius:.625rem;background:var(--aq-note)}
.anteroom-notice{box-shadow:inset .25rem 0 var(--aq-accent)}
.anteroom .anteroom-reason{margin-top:.75rem}
.anteroom .anteroom-kept{margin-top:1rem;color:var(--aq-soft);font-size:.875rem}
.anteroom-actions{display:flex;flex-wrap:wrap;gap:.5rem;margin-top:1rem}
.anteroom-question{flex:1 0 100%}
.anteroom-button{min-height:2.75rem;padding:.375rem 1rem;border:1px solid var(--aq-line);border-radius:.625rem;background:transparent;
color:inherit;font:inherit;font-weight:550;text-decoration:none;cursor:pointer;display:inline-flex;align-items:center}
.anteroom-button:hover{border-color:currentColor}
.anteroom-button:focus-visible{outline:3px solid var(--aq-accent);outline-offset:2px}
.anteroom-primary{border-color:var(--aq-accent);background:var(--aq-accent);color:var(--aq-on-accent)}
.anteroom-live{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media (prefers-reduced-motion:reduce){.anteroom-bar{transition:none}}`;

/** Adds the style once. A constructed sheet also passes a site's policy against inline styles. */
function installStyle() {
  if (installStyle.done) return;
  installStyle.done = true;
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  } catch {
    const style = document.createElement("style");
    style.textContent = STYLE;
    document.head.append(style);
  }
}
