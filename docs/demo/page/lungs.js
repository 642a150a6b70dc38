/** Where the lungs are, and the part of an image that a model sees of them (pulmo.lungs). */

import { clip, filled, made, rint } from "./numbers.js";
import { inside, squashed } from "./geometry.js";
import { measured, nearerLeft, partsOf } from "./parts.js";
import { interpolated, nearest } from "./resample.js";

/** @typedef {import("./contents.js").Contents} Contents */
/** @typedef {import("./contents.js").LungCard} LungCard */
/** @typedef {import("./geometry.js").Box} Box */
/** @typedef {import("./parts.js").Mask} Mask */
/** @typedef {import("./parts.js").Shape} Shape */
/** @typedef {import("./resample.js").Plane} Plane */
/**
 * @typedef {object} Lungs
 * @property {Mask} right the patient's right lung, on the left of the image; empty if none was found
 * @property {Mask} left
 * @property {string | null} reason why none were found
 */

/** What a mask lacks to be one of lungs: a sentence; null if it is one. @param {LungCard} card @param {Shape} shape */
export function lacking(card, shape) {
  if (!shape.area) return card.nothing;
  const names = /** @type {(keyof Shape)[]} */ (Object.keys(card.lacks));
  const first = names.find((name) => shape[name] < card.rule[name]);
  return first ? filled(card.lacks[first], { value: shape[first], limit: card.rule[first] }) : null;
}

/**
 * Returns the lungs that probabilities mean, at the size of their image.
 *
 * @param {LungCard} card
 * @param {Float32Array} probability over the square
 * @param {Plane} image
 * @returns {Lungs}
 */
export function decided(card, probability, { height, width }) {
  const [side, threshold] = [card.size, Math.fround(card.threshold)];
  const marked = Uint8Array.from(probability, (value) => (value >= threshold ? 1 : 0));
  const parts = partsOf({ values: marked, height: side, width: side });
  const reason = lacking(card, measured(probability, parts));
  const empty = () => ({ values: new Uint8Array(height * width), height, width });
  if (reason !== null) return { right: empty(), left: empty(), reason };
  const kept = probability.map((value, at) => (parts.stray.values[at] ? 0 : value));
  const { values } = interpolated({ values: kept, height: side, width: side }, height, width);
  const nearer = nearest(nearerLeft(parts), [side, side], [height, width]);
  const half = (/** @type {number} */ is) => ({
    values: made(new Uint8Array(height * width), (at) => (values[at] >= threshold && nearer[at] === is ? 1 : 0)),
    height,
    width,
  });
  return { right: half(1), left: half(0), reason: null };
}

/** Both lungs. @param {Lungs} lungs @returns {Mask} */
export function both({ right, left }) {
  return { ...right, values: made(new Uint8Array(right.values.length), (at) => right.values[at] | left.values[at]) };
}

/**
 * Returns the network's input of the lungs: their frame, all else at their mean grey value.
 *
 * @param {Contents} contents
 * @param {Plane} image
 * @param {Mask} mask some of it inside
 * @returns {{input: Uint8Array, box: Box}}
 */
export function cutOut({ region, size }, image, mask) {
  if (!region) throw new Error("The model sees whole images.");
  const box = framed(mask, region.spread);
  const moments = momentsOf(image.values, mask.values);
  const fill = Math.fround(region.normalised ? region.normalised.mean : moments.mean);
  const grey = region.normalised ? normaliser(moments, region.normalised) : (/** @type {number} */ value) => value;
  const part = { values: new Float32Array((box.bottom - box.top) * (box.right - box.left)).fill(fill), height: box.bottom - box.top, width: box.right - box.left };
  const seen = inside(box, image);
  for (let row = seen.top; row < seen.bottom; row += 1) {
    for (let column = seen.left; column < seen.right; column += 1) {
      const at = row * image.width + column;
      if (!mask.values[at]) continue;
      part.values[(row - box.top) * part.width + column - box.left] = grey(image.values[at]);
    }
  }
  return { input: squashed(part, size), box };
}

/** @typedef {{mean: number, deviation: number}} Moments */

/**
 * Returns what takes grey values of some moments to those of other moments.
 *
 * @param {Moments} found
 * @param {Moments} wanted
 */
function normaliser(found, wanted) {
  const { fround } = Math;
  const divisor = fround(Math.max(found.deviation, 2 ** -126));
  const [middle, scale, mean] = [fround(found.mean), fround(wanted.deviation), fround(wanted.mean)];
  // Each step in 32 bits, as arrays of NumPy are worked on.
  return (/** @type {number} */ value) =>
    clip(fround(fround(fround(fround(value - middle) / divisor) * scale) + mean), 0, 1);
}

/**
 * Returns mean and standard deviation of the pixels in a mask.
 *
 * @param {Float32Array} values
 * @param {Uint8Array} mask
 * @returns {Moments}
 */
function momentsOf(values, mask) {
  let [sum, count, squares] = [0, 0, 0];
  for (let at = 0; at < mask.length; at += 1) {
    sum += mask[at] ? values[at] : 0;
    count += mask[at];
  }
  const mean = sum / count;
  for (let at = 0; at < mask.length; at += 1) squares += mask[at] ? (values[at] - mean) ** 2 : 0;
  return { mean, deviation: Math.sqrt(squares / count) };
}

/**
 * Returns the rectangle about the mean place of a mask's pixels; it may stick out of the image.
 *
 * @param {Mask} mask
 * @param {number} spread standard deviations from the middle to each edge
 * @returns {Box}
 */
function framed({ values, height, width }, spread) {
  const [rows, columns] = [new Float64Array(height), new Float64Array(width)];
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const value = values[row * width + column];
      rows[row] += value;
      columns[column] += value;
    }
  }
  const [[top, bottom], [left, right]] = [rows, columns].map((counts) => {
    const total = counts.reduce((sum, each) => sum + each, 0);
    const middle = counts.reduce((sum, each, place) => sum + each * (place + 0.5), 0) / total;
    const variance = counts.reduce((sum, each, place) => sum + each * (place + 0.5 - middle) ** 2, 0) / total;
    const away = spread * Math.sqrt(variance);
    const first = rint(middle - away);
    return [first, Math.max(first + 1, rint(middle + away))];
  });
  return { top, bottom, left, right };
}
