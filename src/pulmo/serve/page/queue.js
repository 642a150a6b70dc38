/** Sends images, a few at once; waits for a server that is busy or gone. */

import { ApiError, ServerGone, isAlive, pause, predict } from "./api.js";
import { SAYS } from "./place.js";

/** @typedef {import("./entries.js").Entry} Entry */
/** @typedef {import("./entries.js").Entries} Entries */

/** More would only wait in the server. */
const AT_ONCE = 3;
const SECONDS_UNTIL_ASKED_AGAIN = 3;

export class Queue {
  /**
   * @param {Entries} entries
   * @param {() => string} model gives the id of the model that is asked
   */
  constructor(entries, model) {
    this.entries = entries;
    this.model = model;
    /** @type {Map<Entry, AbortController>} */
    this.running = new Map();
    /** @type {Entry[]} */
    this.waiting = [];
    this.total = 0;
  }

  /** Images that came to an end, of the batch that is sent. */
  get finished() {
    return this.total - this.running.size - this.waiting.length;
  }

  /** @param {Entry[]} batch */
  send(batch) {
    if (!this.running.size && !this.waiting.length) this.total = 0;
    this.total += batch.length;
    for (const entry of batch) {
      entry.state = "waiting";
      entry.problem = null;
    }
    this.waiting.push(...batch);
    this.#next();
  }

  /** Takes an image back; one that the server already has may still get a result there. @param {Entry} entry */
  cancel(entry) {
    this.waiting = this.waiting.filter((each) => each !== entry);
    this.running.get(entry)?.abort(new DOMException("cancelled", "AbortError"));
    this.#end(entry, "You cancelled it.");
  }

  cancelAll() {
    for (const entry of [...this.waiting, ...this.running.keys()]) this.cancel(entry);
  }

  #next() {
    while (this.running.size < AT_ONCE) {
      const entry = this.waiting.shift();
      if (!entry) break;
      void this.#run(entry);
    }
    this.entries.changed();
  }

  /** @param {Entry} entry */
  async #run(entry) {
    const controller = new AbortController();
    this.running.set(entry, controller);
    const onProgress = (/** @type {number} */ share) => {
      entry.sent = share;
      entry.state = share < 1 ? "sending" : "reading";
      this.entries.entryChanged(entry);
    };
    try {
      entry.prediction = await this.#answer(entry, onProgress, controller.signal);
      entry.state = "done";
    } catch (error) {
      if (!controller.signal.aborted) this.#end(entry, sentence(error));
    }
    this.running.delete(entry);
    this.entries.entryChanged(entry);
    this.#next();
  }

  /**
   * @param {Entry} entry
   * @param {(share: number) => void} onProgress
   * @param {AbortSignal} signal
   */
  async #answer(entry, onProgress, signal) {
    for (;;) {
      try {
        return await predict(/** @type {File} */ (entry.file), this.model(), onProgress, signal);
      } catch (error) {
        if (!(error instanceof ServerGone)) throw error;
      }
      if (await isAlive()) throw new ServerGone();
      entry.state = "waiting";
      this.entries.entryChanged(entry);
      do await pause(1000 * SECONDS_UNTIL_ASKED_AGAIN, signal);
      while (!(await isAlive()));
    }
  }

  /** @param {Entry} entry @param {string} problem */
  #end(entry, problem) {
    entry.state = "unsent";
    entry.problem = problem;
    this.entries.entryChanged(entry);
  }
}

/** @param {unknown} error */
function sentence(error) {
  if (error instanceof ApiError) return error.message;
  if (error instanceof ServerGone) return SAYS.fileFailed;
  return `${SAYS.failed}: ${error}`;
}
