/** The images of the list: those that this page sent, and earlier results of the server. */

import { SAYS, isKept } from "./place.js";

/** @typedef {import("./types.js").Prediction} Prediction */

/**
 * waiting: in the queue; sending: its bytes are sent; reading: the server works on it; done: there is
 * an answer; unsent: none came.
 *
 * @typedef {"waiting" | "sending" | "reading" | "done" | "unsent"} State
 */

/** An image of the list. */
export class Entry {
  static #count = 0;

  /**
   * @param {string} name what people call it here; the server never gets it
   * @param {File | null} file
   * @param {Prediction | null} prediction
   */
  constructor(name, file, prediction) {
    this.key = `entry-${(Entry.#count += 1)}`;
    this.name = name;
    this.file = file;
    this.prediction = prediction;
    /** @type {State} */
    this.state = prediction ? "done" : "waiting";
    /** Share of its bytes that was sent. */
    this.sent = 0;
    /** @type {string | null} Why no answer came. */
    this.problem = null;
  }

  /** Whether the queue still has it. */
  get isOpen() {
    return this.state !== "done" && this.state !== "unsent";
  }

  /** Whether the image can still be looked at. */
  get hasImage() {
    return this.prediction !== null && isKept(this.prediction);
  }

  /** What became of it, in a word: a kind for the style and for people. */
  get outcome() {
    const { prediction } = this;
    if (this.state === "unsent") return { kind: "unsent", word: SAYS.unsent };
    if (!prediction) return { kind: this.state, word: WORDS[this.state] };
    if (prediction.status !== "done") return { kind: prediction.status, word: prediction.status };
    const word = prediction.positive ? "positive" : "negative";
    return { kind: word, word };
  }
}

/** @type {Record<string, string>} */
const WORDS = { waiting: "waits", sending: "is sent", reading: "is read" };

/** All images of the list. Events: "entry" (one changed), "change" (the list did), "choose". */
export class Entries extends EventTarget {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  constructor() {
    super();
    /** @type {Entry[]} Those of this page, the last batch first. */
    this.own = [];
    /** @type {Entry[]} Those of the server before, the newest first. */
    this.earlier = [];
    /** @type {Entry | null} */
    this.chosen = null;
  }

  get all() {
    return [...this.own, ...this.earlier];
  }

  /** Says that an entry changed. @param {Entry} entry */
  entryChanged(entry) {
    this.dispatchEvent(new CustomEvent("entry", { detail: entry }));
  }

  /** Says that the list changed, once for all changes of a moment: a folder may have thousands. */
  changed() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.dispatchEvent(new Event("change"));
    }, 50);
  }

  /** @param {Entry | null} entry */
  choose(entry) {
    this.chosen = entry;
    this.dispatchEvent(new Event("choose"));
  }

  /** @param {Entry[]} batch */
  add(batch) {
    this.own.unshift(...batch);
    this.changed();
  }

  /** Adds results of the server that are not there yet. @param {Prediction[]} predictions */
  addEarlier(predictions) {
    const known = new Set(this.all.map(({ prediction }) => prediction?.id));
    for (const prediction of predictions) {
      if (known.has(prediction.id)) continue;
      this.earlier.push(new Entry(`Image ${prediction.id.slice(0, 8)}`, null, prediction));
    }
    this.changed();
  }

  /** @param {Entry} entry */
  remove(entry) {
    this.own = this.own.filter((each) => each !== entry);
    this.earlier = this.earlier.filter((each) => each !== entry);
    if (this.chosen === entry) this.choose(null);
    this.changed();
  }
}
