/** The list of images, with what became of each. */

import { button, byId, make } from "./dom.js";
import { SAYS } from "./place.js";
import { number, time } from "./words.js";

/** @typedef {import("./entries.js").Entry} Entry */
/** @typedef {import("./entries.js").Entries} Entries */
/** @typedef {import("./queue.js").Queue} Queue */

/** @type {Record<string, (entry: Entry) => boolean>} */
const FILTERS = {
  all: () => true,
  positive: ({ prediction }) => prediction?.positive === true,
  negative: ({ prediction }) => prediction?.positive === false,
  none: ({ prediction, isOpen }) => !isOpen && prediction?.status !== "done",
};

export class List {
  /** @param {Entries} entries @param {Queue} queue */
  constructor(entries, queue) {
    this.entries = entries;
    this.queue = queue;
    this.root = byId("list", HTMLOListElement);
    this.filter = byId("filter", HTMLSelectElement);
    this.order = byId("order", HTMLSelectElement);
    /** @type {Map<Entry, HTMLLIElement>} */
    this.items = new Map();
    for (const select of [this.filter, this.order]) select.addEventListener("change", () => this.draw());
    entries.addEventListener("change", () => this.draw());
    entries.addEventListener("entry", (event) => {
      this.#drawItem(/** @type {CustomEvent<Entry>} */ (event).detail);
    });
    entries.addEventListener("choose", () => {
      this.#mark();
      if (entries.chosen) this.items.get(entries.chosen)?.scrollIntoView({ block: "nearest" });
    });
    this.root.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step === undefined || !(event.target instanceof HTMLElement)) return;
      event.preventDefault();
      this.step(step);
      this.focus();
    });
  }

  /** The entries that are shown, in their order. */
  get shown() {
    const found = this.entries.all.filter(FILTERS[this.filter.value]);
    if (this.order.value === "sent") return found;
    const rank = (/** @type {Entry} */ { prediction }) => prediction?.positive_probability ?? -1;
    return found.sort((a, b) => rank(b) - rank(a));
  }

  /** Chooses the next or the one before. @param {number} by */
  step(by) {
    const { shown } = this;
    if (!shown.length) return;
    const now = this.entries.chosen ? shown.indexOf(this.entries.chosen) : -1;
    const next = now < 0 ? 0 : Math.min(shown.length - 1, Math.max(0, now + by));
    this.entries.choose(shown[next]);
  }

  /** Brings the keyboard to the chosen image. */
  focus() {
    const item = this.entries.chosen && this.items.get(this.entries.chosen);
    item?.querySelector("button")?.focus();
  }

  /** Draws the list again; what is in it already stays the same element. */
  draw() {
    const { shown } = this;
    const alive = new Set(this.entries.all);
    for (const entry of [...this.items.keys()]) if (!alive.has(entry)) this.items.delete(entry);
    for (const entry of shown) if (!this.items.has(entry)) this.#drawItem(entry);
    const wanted = shown.map((entry) => /** @type {HTMLLIElement} */ (this.items.get(entry)));
    const isSame = wanted.length === this.root.children.length &&
      wanted.every((item, place) => item === this.root.children[place]);
    if (!isSame) this.root.replaceChildren(...wanted);
    this.#mark();
  }

  #mark() {
    for (const [entry, item] of this.items) {
      const open = item.querySelector("button.open");
      if (entry === this.entries.chosen) open?.setAttribute("aria-current", "true");
      else open?.removeAttribute("aria-current");
    }
  }

  /** @param {Entry} entry */
  #drawItem(entry) {
    const item = this.items.get(entry) ?? make("li", { class: "item", id: entry.key });
    const known = `${entry.state} ${entry.prediction?.id} ${entry.problem}`;
    this.items.set(entry, item);
    const bar = item.querySelector("progress");
    if (item.dataset.known === known) {
      if (bar && entry.state === "sending") bar.value = entry.sent;
      return;
    }
    item.dataset.known = known;
    const hadFocus = item.contains(document.activeElement);
    item.replaceChildren(this.#button(entry), ...this.#more(entry));
    this.#mark();
    if (hadFocus) item.querySelector("button")?.focus();
  }

  /** @param {Entry} entry */
  #open(entry) {
    this.entries.choose(entry);
    // On a phone the image is below the list.
    if (matchMedia("(max-width: 720px)").matches) byId("viewer", HTMLElement).scrollIntoView();
  }

  /** @param {Entry} entry */
  #button(entry) {
    const { prediction, outcome } = entry;
    const probability = prediction?.positive_probability ?? null;
    const made = button("", () => this.#open(entry), { class: "open" });
    made.append(
      make("span", { class: "first" },
        make("span", { class: "name", title: entry.name }, entry.name),
        probability !== null && make("span", { class: "number" }, number(probability))),
      make("span", { class: "second" },
        make("span", { class: "what" }, make("span", { class: `word ${outcome.kind}` }, outcome.word),
          prediction?.decision && `, ${prediction.decision}`),
        make("span", { class: "when" }, prediction?.band === "uncertain" ? make("span", { class: "word uncertain" }, "uncertain ") : null,
          prediction && time(prediction.created))),
    );
    const reason = entry.problem ?? prediction?.reason;
    if (reason) made.append(make("span", { class: "reason" }, reason));
    const notes = prediction?.notes.length ?? 0;
    if (notes) made.append(make("span", { class: "reason" }, notes === 1 ? "1 note" : `${notes} notes`));
    return made;
  }

  /** @param {Entry} entry */
  #more(entry) {
    if (entry.isOpen) {
      const bar = make("progress", { max: "1", "aria-label": `${entry.name}: share sent` });
      if (entry.state === "waiting") bar.value = 0;
      if (entry.state === "sending") bar.value = entry.sent;
      const cancel = button("Cancel", () => this.queue.cancel(entry), { "aria-label": `Cancel ${entry.name}` });
      return [make("div", { class: "actions" }, bar, cancel)];
    }
    if (entry.state === "unsent") {
      const again = button(SAYS.again, () => this.queue.send([entry]), { "aria-label": `${SAYS.again}: ${entry.name}` });
      const drop = button("Remove", () => this.entries.remove(entry), { "aria-label": `Remove ${entry.name}` });
      return [make("div", { class: "actions" }, again, drop)];
    }
    return [];
  }
}
