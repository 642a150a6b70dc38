/** The keyboard: what each key does, and the table of it. */

import { byId, make } from "./dom.js";

/** @typedef {{keys: string[], shown: string, says: string, does: () => void}} Shortcut */

const STORED = "pulmo-single-keys";

/**
 * Lets single keys do things, and lists them in the dialog.
 *
 * @param {Shortcut[]} shortcuts
 */
export function bindKeys(shortcuts) {
  const use = byId("use-keys", HTMLInputElement);
  use.checked = localStorage.getItem(STORED) !== "off";
  use.addEventListener("change", () => localStorage.setItem(STORED, use.checked ? "on" : "off"));
  byId("keys", HTMLTableElement).tBodies[0].append(
    ...shortcuts.map(({ shown, says }) =>
      make("tr", {}, make("td", {}, ...shown.split(" ").map((key) => make("kbd", {}, key))), make("td", {}, says)),
    ),
  );
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]") || isTyping(event)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const found = shortcuts.find(({ keys }) => keys.includes(key));
    if (!found || (!use.checked && key.length === 1 && key !== "?")) return;
    event.preventDefault();
    found.does();
  });
}

/** Whether the key belongs to the element that has the focus. @param {KeyboardEvent} event */
function isTyping({ target, key }) {
  if (target instanceof HTMLSelectElement) return true;
  if (!(target instanceof HTMLInputElement)) return false;
  if (target.type === "checkbox") return key === " ";
  return target.type !== "range" || key.startsWith("Arrow") || key === "Home" || key === "End";
}

/**
 * Moves the image by the arrow keys while a canvas has the focus.
 *
 * @param {import("./pane.js").Pane[]} panes
 */
export function bindArrows(panes) {
  /** @type {Record<string, [number, number]>} */
  const steps = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] };
  for (const pane of panes) {
    pane.canvas.addEventListener("keydown", (event) => {
      const step = steps[event.key];
      if (!step) return;
      event.preventDefault();
      pane.pan(...step);
    });
  }
}
