/** Learning curves: what a training measured at the end of each epoch. */

import { make } from "./dom.js";

/**
 * @typedef {object} Epoch
 * @property {number} epoch
 * @property {number} stage
 * @property {number} lr
 * @property {number} train_loss
 * @property {number | null} train_accuracy
 * @property {number} val_loss
 * @property {number} val_accuracy
 * @property {number} val_balanced_accuracy
 * @property {number} seconds
 *
 * @typedef {{name: string, kind: "train" | "val", values: (number | null)[]}} Series
 */

const SIZE = { width: 360, height: 190, left: 42, right: 8, top: 8, bottom: 24 };
const SVG = "http://www.w3.org/2000/svg";

/**
 * Returns the figures of a training.
 *
 * @param {Epoch[]} history
 * @param {number} epochs that the figures have room for
 */
export function curves(history, epochs) {
  const loss = figure("Loss", history, epochs, [
    { name: "training", kind: "train", values: history.map((each) => each.train_loss) },
    { name: "validation", kind: "val", values: history.map((each) => each.val_loss) },
  ]);
  const accuracy = figure("Accuracy", history, epochs, [
    { name: "training", kind: "train", values: history.map((each) => each.train_accuracy) },
    { name: "validation, balanced", kind: "val", values: history.map((each) => each.val_balanced_accuracy) },
  ]);
  return make("div", { class: "charts" }, loss, accuracy);
}

/** @param {string} title @param {Epoch[]} history @param {number} epochs @param {Series[]} series */
function figure(title, history, epochs, series) {
  const drawn = series.filter(({ values }) => values.some((value) => value !== null));
  const known = drawn.flatMap(({ values }) => values.filter((value) => value !== null));
  const [low, high] = title === "Accuracy" ? [0, 1] : [0, Math.max(...known, 1e-9) * 1.05];
  const across = (/** @type {number} */ epoch) =>
    SIZE.left + ((epoch - 1) / Math.max(1, epochs - 1)) * (SIZE.width - SIZE.left - SIZE.right);
  const down = (/** @type {number} */ value) =>
    SIZE.top + (1 - (value - low) / (high - low)) * (SIZE.height - SIZE.top - SIZE.bottom);
  const chart = draw("svg", { viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, role: "img" });
  chart.setAttribute("aria-label", `${title} by epoch. ${drawn.map((each) => last(each)).join(" ")}`);
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    const value = low + share * (high - low);
    const y = String(down(value));
    chart.append(draw("line", { class: "grid", x1: String(SIZE.left), x2: String(SIZE.width - SIZE.right), y1: y, y2: y }));
    chart.append(label(value.toPrecision(2), SIZE.left - 5, down(value) + 4, "end"));
  }
  for (const epoch of new Set([1, Math.ceil(epochs / 2), epochs])) {
    chart.append(label(String(epoch), across(epoch), SIZE.height - 8, epoch === 1 ? "start" : epoch === epochs ? "end" : "middle"));
  }
  for (const { kind, values } of drawn) {
    const points = values.flatMap((value, place) =>
      value === null ? [] : [`${across(history[place].epoch)},${down(value)}`]);
    chart.append(draw("polyline", { class: `series ${kind}`, points: points.join(" "), fill: "none" }));
  }
  return make("figure", {}, make("figcaption", {}, title), chart, key(drawn));
}

/** @param {Series} series */
function last({ name, values }) {
  const value = values.findLast((each) => each !== null);
  return typeof value === "number" ? `${name}: ${value.toFixed(3)} in the last epoch.` : "";
}

/** @param {Series[]} series */
function key(series) {
  return make("p", { class: "key" }, ...series.map(({ name, kind }) => {
    const stroke = draw("svg", { viewBox: "0 0 26 8", "aria-hidden": "true" });
    stroke.append(draw("line", { class: `series ${kind}`, x1: "0", x2: "26", y1: "4", y2: "4" }));
    return make("span", {}, stroke, name);
  }));
}

/** @param {string} text @param {number} x @param {number} y @param {string} anchor */
function label(text, x, y, anchor) {
  const made = draw("text", { x: String(x), y: String(y), "text-anchor": anchor });
  made.textContent = text;
  return made;
}

/** @param {string} name @param {Record<string, string>} attributes */
function draw(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
