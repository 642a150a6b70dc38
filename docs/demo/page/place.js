/** The place where images are classified: this browser. It has no tokens, exports or reports. */

import { byId } from "./dom.js";

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

/** Says that the page has started. */
export function bindPlace() {
  byId("not-started", HTMLElement).remove();
}

/** There is nothing to show. */
export function drawPlace() {}

/** @returns {HTMLElement[]} */
export const imageButtons = () => [];

/** @type {import("./keys.js").Shortcut[]} */
export const placeKeys = [];

/** @returns {[string, string][]} */
export const keptRows = () => [];
