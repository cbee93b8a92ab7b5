// Part of queue.js: the words of a language, and loading those of another.

/** Loads the words of a language that the script was not served in. Without them the served language stays. */
function learn(lang, base) {
  if (languages.has(lang)) return null;
  return new Promise((done) => {
    const script = document.createElement("script");
    script.src = `${base}/scripts/queue.js?lang=${encodeURIComponent(lang)}`;
    script.onload = script.onerror = done;
    document.head.append(script);
  });
}

/** A language's catalogue with its rules for numbers and plurals. */
class Wording {
  constructor(lang) {
    const served = languages.get(lang) ?? SERVED;
    this.messages = served.messages ?? {};
    this.lang = served.lang ?? "en";
    this.dir = served.dir ?? "ltr";
    this.numbers = new Intl.NumberFormat(this.lang);
    this.plurals = new Intl.PluralRules(this.lang);
  }

  text(key, values = {}) {
    const text = this.messages[`widget_${key}`] ?? "";
    return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  }

  /** @param {number} [low] where a span begins that ends with `count`. */
  counted(key, count, low) {
    const form = `${key}_${this.plurals.select(count)}`;
    const values = { count: this.numbers.format(count), low: low && this.numbers.format(low) };
    return this.text(`widget_${form}` in this.messages ? form : `${key}_other`, values);
  }
}
