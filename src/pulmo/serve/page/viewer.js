/** The viewer: the chosen image, an earlier one next to it, and what is drawn over them. */

import { ApiError, ServerGone } from "./api.js";
import { button, byId, fillSelect, make } from "./dom.js";
import { followPointers } from "./gestures.js";
import { forget, loadBoxes, loadHeatMap, loadLungs, loadPixels } from "./layers.js";
import { Pane } from "./pane.js";
import { SAYS } from "./place.js";
import { bindTools } from "./tools.js";
import { View } from "./view.js";
import { number, time } from "./words.js";

/** @typedef {import("./entries.js").Entry} Entry */
/** @typedef {import("./types.js").Explanation} Explanation */
/** @typedef {import("./types.js").Method} Method */
/** @typedef {import("./types.js").Model} Model */

/** Longest side that is loaded first, and at a high zoom. */
const SIDES = { first: 2048, full: 4096 };

export class Viewer {
  /**
   * @param {(entry: Entry) => Model | undefined} modelOf
   * @param {(entry: Entry) => void} sendAgain
   */
  constructor(modelOf, sendAgain) {
    this.modelOf = modelOf;
    this.sendAgain = sendAgain;
    this.view = new View();
    this.panes = [new Pane(this.view), new Pane(this.view)];
    /** @type {(Entry | null)[]} the image of each pane; the second one is the earlier image */
    this.entries = [null, null];
    this.loading = [new AbortController(), new AbortController()];
    this.root = byId("panes", HTMLElement);
    this.message = byId("view-message", HTMLElement);
    this.heat = byId("heat", HTMLInputElement);
    this.label = byId("heat-class", HTMLSelectElement);
    this.method = byId("heat-method", HTMLSelectElement);
    this.lungs = byId("lungs", HTMLInputElement);
    this.boxes = byId("boxes", HTMLInputElement);
    this.earlier = byId("earlier", HTMLSelectElement);
    this.tools = bindTools(this.view, () => this.pane);
    for (const pane of this.panes) followPointers(pane, () => this.tools.tool);
    for (const input of [this.heat, this.label, this.method, this.lungs, this.boxes]) {
      input.addEventListener("change", () => this.#drawAllLayers());
    }
    this.view.addEventListener("change", () => this.#refine());
    this.root.append(this.panes[0].root);
    /** @type {Map<string, string>} what must be said of the layers */
    this.notes = new Map();
    /** Whether an image is missing because the server did not answer. */
    this.isCutOff = false;
    this.#draw(0);
  }

  /** The pane that the keyboard is in, else the first. */
  get pane() {
    return this.panes.find(({ canvas }) => canvas === document.activeElement) ?? this.panes[0];
  }

  /** Shows an image. @param {Entry | null} entry @returns {Promise<void>} */
  async show(entry) {
    // The earlier image belongs to the patient of the image before.
    if (entry !== this.entries[0]) void this.compare(null);
    this.entries[0] = entry;
    await this.#draw(0);
  }

  /** Shows an earlier image of the same patient next to it, or none. @param {Entry | null} entry */
  async compare(entry) {
    this.entries[1] = entry;
    this.root.classList.toggle("two", Boolean(entry));
    if (entry) this.root.append(this.panes[1].root);
    else this.panes[1].root.remove();
    await this.#draw(1);
  }

  /** Fills the choice of earlier images. @param {Entry[]} all */
  offer(all) {
    const others = all.filter((entry) => entry !== this.entries[0] && entry.hasImage);
    const options = others.map((entry) => ({ value: entry.key, text: named(entry) }));
    fillSelect(this.earlier, [{ value: "", text: "none" }, ...options], this.entries[1]?.key ?? "");
    this.earlier.disabled = !this.entries[0] || !options.length;
  }

  /** Loads and draws a pane. @param {number} place */
  async #draw(place) {
    const [entry, pane] = [this.entries[place], this.panes[place]];
    this.loading[place].abort();
    const { signal } = (this.loading[place] = new AbortController());
    pane.show(null, entry ? this.#caption(entry, place) : "", null);
    pane.canvas.setAttribute("aria-label", entry ? `Image ${entry.name}` : "No image");
    this.#forgetLayers(place);
    if (place === 0) this.#fillChoices(entry);
    this.isCutOff = false;
    const problem = entry && (entry.prediction ? withoutImage(entry) : "The image has no result yet.");
    if (!entry || problem) {
      if (place === 0) this.#say(problem || "Choose an image of the list to see it here.", entry);
      this.#drawLayers(place);
      return;
    }
    this.#say("The image is being loaded.", null);
    try {
      const id = /** @type {string} */ (entry.prediction?.id);
      const pixels = await loadPixels(id, SIDES.first, signal);
      pane.show(pixels, this.#caption(entry, place), entry.prediction?.facts?.patient_right ?? null);
      this.tools.pixels(this.panes[0].pixels);
      this.#say("", null);
      await this.#drawLayers(place);
    } catch (error) {
      if (signal.aborted) return;
      this.isCutOff = error instanceof ServerGone;
      this.#say(this.#sentence(entry, error), entry);
    }
  }

  /** @param {Entry | null} entry */
  #fillChoices(entry) {
    const isDone = entry?.prediction?.status === "done" && entry.hasImage;
    const labels = isDone ? Object.keys(entry.prediction?.probabilities ?? {}) : [];
    const methods = (isDone && this.modelOf(entry)?.methods) || [];
    const decision = entry?.prediction?.decision ?? "";
    // The class follows the image, unless a class was chosen that the model has.
    const kept = this.label.dataset.chosen && labels.includes(this.label.dataset.chosen);
    fillSelect(
      this.label, labels.map((text) => ({ value: text, text })),
      (kept && this.label.dataset.chosen) || decision,
    );
    fillSelect(
      this.method,
      methods.map(({ name, title, slow }) => ({ value: name, text: slow ? `${title} (slow)` : title })),
      this.method.value,
    );
    this.heat.disabled = !methods.length;
    this.lungs.disabled = this.boxes.disabled = !isDone;
    this.label.disabled = this.method.disabled = !methods.length;
  }

  /** @param {Entry} entry @param {number} place */
  #caption(entry, place) {
    const { prediction } = entry;
    const share = prediction?.positive_probability ?? null;
    const result = share === null ? "" : ` · ${entry.outcome.word} ${number(share)}`;
    const which = this.entries[1] ? (place ? "Earlier: " : "This: ") : "";
    return which + entry.name + result;
  }

  #drawAllLayers() {
    this.label.dataset.chosen = this.label.value;
    this.#drawLayers(0);
    if (this.entries[1]) this.#drawLayers(1);
  }

  /** Loads and draws what is switched on over the image of a pane. @param {number} place */
  async #drawLayers(place) {
    const [entry, pane] = [this.entries[place], this.panes[place]];
    const id = entry?.prediction?.status === "done" ? entry.prediction.id : null;
    const { signal } = this.loading[place];
    const wanted = { class: this.label.value, method: this.method.value };
    const method = this.modelOf0()?.methods.find(({ name }) => name === wanted.method);
    this.label.disabled = !method || !method.of_class;
    this.#forgetLayers(place);
    const on = (/** @type {HTMLInputElement} */ input) => id && input.checked && pane.pixels;
    await Promise.all([
      this.#layer(place, "heat", on(this.heat), async () => {
        const kind = method?.slow ? "This method asks the model many times and takes up to a minute." : "";
        this.#note(place, "heat", `The heat map is being made. ${kind}`);
        const { bitmap, explanation } = await loadHeatMap(/** @type {string} */ (id), wanted, signal);
        const isStale = wanted.class !== this.label.value || wanted.method !== this.method.value;
        if (isStale || !this.heat.checked) return;
        pane.heatMap = bitmap;
        this.#note(place, "heat", "");
        if (place === 0) drawLegend(explanation);
      }, () => { pane.heatMap = null; }),
      this.#layer(place, "lungs", on(this.lungs), async () => {
        const lungs = await loadLungs(/** @type {string} */ (id), signal);
        if (!this.lungs.checked) return;
        pane.lungs = lungs;
        const said = lungs.found ? lungs.notes.join(" ") : lungs.reason ?? "No lungs were found.";
        this.#note(place, "lungs", said);
      }, () => { pane.lungs = null; }),
      this.#layer(place, "boxes", on(this.boxes), async () => {
        const label = wanted.class;
        const { available, boxes } = await loadBoxes(/** @type {string} */ (id), label, signal);
        if (!this.boxes.checked || label !== this.label.value) return;
        pane.boxes = boxes;
        const none = available ? `The model marks no box for ${label}.` : `The model has no rule for boxes of ${label}.`;
        this.#note(place, "boxes", boxes.length ? "" : none);
      }, () => { pane.boxes = []; }),
    ]);
  }

  /** Takes away what was said of the layers of a pane. @param {number} place */
  #forgetLayers(place) {
    for (const key of ["heat", "lungs", "boxes"]) this.#note(place, key, "");
    if (place === 0) byId("legend", HTMLElement).hidden = true;
  }

  /** The model of the first image. */
  modelOf0() {
    return this.entries[0] ? this.modelOf(this.entries[0]) : undefined;
  }

  /**
   * @param {number} place
   * @param {string} key
   * @param {unknown} isOn
   * @param {() => Promise<void>} load
   * @param {() => void} clear
   */
  async #layer(place, key, isOn, load, clear) {
    clear();
    this.panes[place].draw();
    this.#note(place, key, "");
    if (!isOn) return;
    const entry = /** @type {Entry} */ (this.entries[place]);
    const { signal } = this.loading[place];
    try {
      await load();
      this.panes[place].draw();
    } catch (error) {
      if (!signal.aborted) this.#note(place, key, this.#sentence(entry, error));
    }
  }

  /** @param {number} place @param {string} key @param {string} text */
  #note(place, key, text) {
    const which = place ? "Earlier image: " : "";
    if (text.trim()) this.notes.set(`${place} ${key}`, which + text);
    else this.notes.delete(`${place} ${key}`);
    const texts = [...new Set(this.notes.values())];
    byId("layer-notes", HTMLElement).replaceChildren(...texts.map((each) => make("li", {}, each)));
  }

  /** Loads all pixels where the zoom shows more than were loaded. */
  async #refine() {
    for (const [place, pane] of this.panes.entries()) {
      const prediction = this.entries[place]?.prediction;
      const { pixels } = pane;
      if (!pixels || !prediction?.facts || pane.scale * devicePixelRatio < 1.2) continue;
      const longest = Math.max(prediction.facts.width, prediction.facts.height);
      if (Math.max(pixels.width, pixels.height) >= Math.min(longest, SIDES.full)) continue;
      try {
        const full = await loadPixels(prediction.id, SIDES.full, this.loading[place].signal);
        if (pane.pixels === pixels) pane.refine(full);
      } catch {
        // The pixels that are there stay; the next call says what is wrong.
      }
    }
  }

  /** @param {string} text @param {Entry | null} entry one whose file can be sent again */
  #say(text, entry) {
    this.message.replaceChildren(text);
    if (text && entry?.file && entry.prediction && !entry.hasImage && entry.prediction.status === "done") {
      this.message.append(make("br"), button("Send it again", () => this.sendAgain(entry)));
    }
  }

  /** @param {Entry} entry @param {unknown} error */
  #sentence(entry, error) {
    if (error instanceof ApiError && error.status === 410 && entry.prediction) {
      entry.prediction.image_until = null;
      forget(entry.prediction.id);
      return SAYS.expired;
    }
    if (error instanceof ApiError || error instanceof ServerGone) return error.message;
    return `The image cannot be shown: ${error}`;
  }
}

/** Why the image of an entry cannot be shown; "" if it can. @param {Entry} entry */
function withoutImage(entry) {
  if (entry.hasImage) return "";
  if (entry.prediction?.facts === null) return "This file could not be read, so there is no image to show.";
  return SAYS.expired;
}

/** @param {Entry} entry */
function named(entry) {
  return entry.prediction ? `${entry.name}, ${time(entry.prediction.created)}` : entry.name;
}

/** @param {Explanation} explanation */
function drawLegend({ colours, scale, unit, fixed_scale, share_in_lungs, caption, title, label }) {
  byId("legend-bar", HTMLElement).style.background = `linear-gradient(90deg, ${colours.join(", ")})`;
  byId("legend-high", HTMLElement).textContent = `${scale.toPrecision(2)} ${unit}`;
  const means = fixed_scale
    ? "The scale is the same for every image."
    : "The scale is of this map alone: do not compare its colours with those of another map.";
  const share = share_in_lungs === null
    ? ""
    : ` ${Math.round(100 * share_in_lungs)} % of the evidence is inside the lungs.`;
  byId("legend-text", HTMLElement).textContent = `Evidence for ${label}, ${title}. ${means}${share}`;
  byId("legend-text", HTMLElement).title = caption;
  byId("legend", HTMLElement).hidden = false;
}
