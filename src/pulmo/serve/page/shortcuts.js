/** What each key does. */

import { byId } from "./dom.js";
import { placeKeys } from "./place.js";

/** @typedef {import("./keys.js").Shortcut} Shortcut */

/**
 * Returns the shortcuts in the order of the dialog's table.
 *
 * @param {object} page
 * @param {import("./entries.js").Entries} page.entries
 * @param {import("./list.js").List} page.list
 * @param {import("./viewer.js").Viewer} page.viewer
 * @param {import("./detail.js").Actions} page.actions
 * @returns {Shortcut[]}
 */
export function shortcuts({ entries, list, viewer, actions }) {
  const { view } = viewer;
  const click = (/** @type {string} */ id) => () => byId(id, HTMLElement).click();
  const focus = (/** @type {string} */ id) => () => byId(id, HTMLElement).focus();
  const withChosen = (/** @type {(entry: import("./entries.js").Entry) => void} */ act) => () => {
    if (entries.chosen?.prediction) act(entries.chosen);
  };
  const level = (/** @type {number} */ step) => view.set({ level: view.state.level + step * view.state.width });
  return [
    { keys: ["?"], shown: "?", says: "Show this list", does: click("show-help") },
    { keys: ["u"], shown: "U", says: "Choose images", does: click("choose-files") },
    { keys: ["n", "j"], shown: "N J", says: "Next image of the list (or arrow down in it)", does: () => list.step(1) },
    { keys: ["k"], shown: "K", says: "Image before (or arrow up in the list)", does: () => list.step(-1) },
    { keys: ["g"], shown: "G", says: "Go to the list", does: () => list.focus() },
    { keys: ["e"], shown: "E", says: "Go to the image; arrow keys move it there", does: () => viewer.panes[0].canvas.focus() },
    { keys: ["]"], shown: "]", says: "Wider window", does: () => view.set({ width: view.state.width * 1.1 }) },
    { keys: ["["], shown: "[", says: "Narrower window", does: () => view.set({ width: view.state.width / 1.1 }) },
    { keys: ["."], shown: ".", says: "Level up: darker", does: () => level(0.05) },
    { keys: [","], shown: ",", says: "Level down: brighter", does: () => level(-0.05) },
    { keys: ["+", "="], shown: "+", says: "Zoom in", does: click("zoom-in") },
    { keys: ["-"], shown: "-", says: "Zoom out", does: click("zoom-out") },
    { keys: ["0"], shown: "0", says: "Fit the image", does: click("zoom-fit") },
    { keys: ["1"], shown: "1", says: "One image pixel on one screen pixel", does: click("zoom-one") },
    { keys: ["w"], shown: "W", says: "A drag changes the window", does: click("tool-window") },
    { keys: ["v"], shown: "V", says: "A drag moves the image", does: click("tool-pan") },
    { keys: ["i"], shown: "I", says: "Invert", does: click("invert") },
    { keys: ["a"], shown: "A", says: "Window from the image's values", does: click("auto") },
    { keys: ["r"], shown: "R", says: "Reset the view", does: click("reset") },
    { keys: ["h"], shown: "H", says: "Heat map on or off", does: click("heat") },
    { keys: ["l"], shown: "L", says: "Outline of the lungs on or off", does: click("lungs") },
    { keys: ["b"], shown: "B", says: "Boxes on or off", does: click("boxes") },
    { keys: ["c"], shown: "C", says: "Choose an earlier image to compare", does: focus("earlier") },
    ...placeKeys,
    { keys: ["m"], shown: "M", says: "Show the model card", does: () => actions.card() },
    { keys: ["Delete"], shown: "Delete", says: "Delete the result", does: withChosen((entry) => actions.remove(entry)) },
  ];
}
