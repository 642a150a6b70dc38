/** The place where images are classified: this browser. It has drawings, and no tokens, exports or reports. */

import { byId } from "./dom.js";
import { loaded } from "./model.js";

/** @typedef {import("./types.js").Prediction} Prediction */

export const SAYS = {
  noModel: "This page has no model, so it cannot classify images.",
  modelGone: "This page does not have this model.",
  pending: "The image has not been classified yet.",
  unsent: "not classified",
  again: "Try again",
  failed: "It could not be classified",
  fileFailed: "It could not be read. The file may have moved.",
  expired: "This page does not have the image any more.",
};

/** Drawings, for those who have no radiograph at hand. */
const DRAWINGS = [1, 2, 3].map((number) => `drawing-${number}.png`);

/**
 * Binds the drawings, and says that the page has started.
 *
 * @param {(path: string, name: string) => void} _save of a place with exports
 * @param {(files: File[]) => void} add
 */
export function bindPlace(_save, add) {
  byId("not-started", HTMLElement).remove();
  byId("show-drawings", HTMLButtonElement).addEventListener("click", async () => {
    const found = DRAWINGS.map(async (name) => new File([await (await loaded(name)).blob()], name));
    add(await Promise.all(found));
  });
}

/** The drawings can be classified as soon as the model is there. */
export function drawPlace() {
  const isLoading = byId("choose-files", HTMLButtonElement).disabled;
  byId("show-drawings", HTMLButtonElement).disabled = isLoading;
}

/** @returns {HTMLButtonElement[]} */
export const imageButtons = () => [];

/** @type {import("./keys.js").Shortcut[]} */
export const placeKeys = [];

/** Whether an image could be read: it is then there as long as the page. @param {Prediction} prediction */
export const isKept = ({ facts }) => facts !== null;

/** @returns {[string, string][]} */
export const keptRows = () => [];
