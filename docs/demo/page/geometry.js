/** How an image becomes a network's square, and how a map goes back (pulmo.radiograph.geometry). */

import { clip, rint } from "./numbers.js";
import { resized } from "./resample.js";

/** @typedef {import("./resample.js").Plane} Plane */
/**
 * Whole pixels; the last row and column are outside. It may stick out of its image.
 *
 * @typedef {{top: number, bottom: number, left: number, right: number}} Box
 */

/**
 * Returns an image, its aspect ratio ignored, as a square of bytes.
 *
 * @param {Plane} image values 0 to 1
 * @param {number} size
 */
export function squashed(image, size) {
  const { values } = resized(image, size, size, "bilinear");
  return Uint8Array.from(values, (value) => rint(Math.fround(clip(value, 0, 1) * 255)));
}

/** What of a box lies in an image. @param {Box} box @param {Plane} image @returns {Box} */
export function inside(box, { height, width }) {
  const [top, left] = [Math.max(0, box.top), Math.max(0, box.left)];
  return {
    top,
    left,
    bottom: Math.max(top, Math.min(height, box.bottom)),
    right: Math.max(left, Math.min(width, box.right)),
  };
}

/**
 * Returns a box on the same image at another size.
 *
 * @param {Box} box
 * @param {[number, number]} shape height and width
 * @param {[number, number]} to
 * @returns {Box}
 */
function scaled(box, shape, to) {
  const [down, across] = [to[0] / shape[0], to[1] / shape[1]];
  const top = Math.min(rint(box.top * down), to[0] - 1);
  const left = Math.min(rint(box.left * across), to[1] - 1);
  return {
    top,
    left,
    bottom: Math.max(rint(box.bottom * down), top + 1),
    right: Math.max(rint(box.right * across), left + 1),
  };
}

/**
 * Returns a map on the input square as one on the image; NaN where the network did not look.
 *
 * @param {Plane} map
 * @param {[number, number]} shape height and width of the image
 * @param {Box | null} box the part of it that became the square; null for all of it
 * @param {number} side what its longer side becomes
 * @param {boolean} grows whether a smaller image grows to that
 * @returns {Plane}
 */
export function onImage(map, shape, box, side, grows) {
  const factor = grows ? side / Math.max(...shape) : Math.min(1, side / Math.max(...shape));
  const height = Math.max(2, rint(shape[0] * factor));
  const width = Math.max(2, rint(shape[1] * factor));
  if (!box) return resized(map, height, width, "bicubic");
  const small = scaled(box, shape, [height, width]);
  const part = resized(map, small.bottom - small.top, small.right - small.left, "bicubic");
  const found = { values: new Float32Array(height * width).fill(NaN), height, width };
  const seen = inside(small, found);
  for (let row = seen.top; row < seen.bottom; row += 1) {
    const start = (row - small.top) * part.width - small.left;
    found.values.set(part.values.subarray(start + seen.left, start + seen.right), row * width + seen.left);
  }
  return found;
}
