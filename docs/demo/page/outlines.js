/** The edges of masks, to be drawn. */

import { connected } from "./parts.js";

/** @typedef {import("./parts.js").Mask} Mask */

/** The eight neighbours, clockwise on the screen from the right one. */
const AROUND = [[0, 1], [1, 1], [1, 0], [1, -1], [0, -1], [-1, -1], [-1, 0], [-1, 1]];

/**
 * Returns the outer edge of each part of a mask: every pixel of it in order, x and y.
 *
 * @param {Mask} mask
 * @returns {[number, number][][]}
 */
export function outlines(mask) {
  const { labels, parts } = connected(mask);
  const { width, height } = mask;
  const isIn = (/** @type {number} */ row, /** @type {number} */ column, /** @type {number} */ label) =>
    row >= 0 && column >= 0 && row < height && column < width && labels[row * width + column] === label;
  return parts.map(({ label, top, left, right }) => {
    const first = left + labels.subarray(top * width + left, top * width + right + 1).indexOf(label);
    return traced([top, first], (row, column) => isIn(row, column, label));
  });
}

/**
 * Follows the edge of a part (Suzuki and Abe 1985, algorithm 1, step 3) from its first pixel.
 *
 * @param {[number, number]} start row and column
 * @param {(row: number, column: number) => boolean} isIn
 * @returns {[number, number][]}
 */
function traced(start, isIn) {
  const at = (/** @type {number} */ turn, /** @type {[number, number]} */ [row, column]) => {
    const [down, across] = AROUND[(turn + 8) % 8];
    return /** @type {[number, number]} */ ([row + down, column + across]);
  };
  // Clockwise from the left, where the outside lies: the pixel before the first one.
  const turns = [...Array(8).keys()].map((step) => 4 + step);
  const before = turns.find((turn) => isIn(...at(turn, start)));
  /** @type {[number, number][]} */
  const found = [[start[1], start[0]]];
  if (before === undefined) return found;
  const last = at(before, start);
  let here = start;
  let from = before;
  for (;;) {
    // Anticlockwise from the pixel that was left.
    let turn = from - 1;
    while (!isIn(...at(turn + 16, here))) turn -= 1;
    const next = at(turn + 16, here);
    const isOver = next[0] === start[0] && next[1] === start[1] && here[0] === last[0] && here[1] === last[1];
    if (isOver) return found;
    found.push([next[1], next[0]]);
    here = next;
    from = ((turn + 16) % 8) + 4;
  }
}
