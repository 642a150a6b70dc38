/** Whether an image looks like one that the model was not meant for (pulmo.bundle.gate and looks). */

import { lacking } from "./lungs.js";
import { measured, partsOf } from "./parts.js";

/** @typedef {import("./contents.js").Boundary} Boundary */
/** @typedef {import("./contents.js").Look} Look */
/** @typedef {import("./contents.js").LungCard} LungCard */

const SIDE = 192;
const CELLS = 8;
const LEVELS = [0.02, 0.05, 0.25, 0.5, 0.75, 0.95, 0.98];
const FLAT = 1e-3;
const STEP = 25;

/**
 * Returns which look an image has most; null if none.
 *
 * @param {Record<string, Look>} looks
 * @param {Uint8Array} square the image, of 192 x 192 pixels
 * @param {() => Promise<Float32Array>} look gives the probabilities of lung on that square
 * @param {LungCard} card
 * @returns {Promise<Look | null>}
 */
export async function lookOf(looks, square, look, card) {
  const all = Object.values(looks);
  const grey = greyLooks(square);
  if (all.every((each) => sumOf(each.grey, grey) < each.grey.threshold)) return null;
  const seen = [...grey, ...lungLooks(square, await look(), card)];
  const reached = all.map((each) => ({ each, sum: sumOf(each.all, seen) })).filter(({ each, sum }) => sum >= each.all.threshold);
  return reached.sort((a, b) => b.sum - a.sum)[0]?.each ?? null;
}

/** @param {Boundary} boundary @param {number[]} seen */
const sumOf = ({ weights, bias }, seen) => weights.reduce((sum, weight, at) => sum + weight * seen[at], bias);

/** @param {ArrayLike<number>} values */
function momentsOf(values) {
  const all = Array.from(values);
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
  return { mean, deviation: Math.sqrt(all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length) };
}

/** @param {ArrayLike<number>} square @param {(cell: number[]) => number} of */
function cells(square, of) {
  const side = SIDE / CELLS;
  /** @type {number[][]} */
  const found = Array.from({ length: CELLS * CELLS }, () => []);
  for (let at = 0; at < square.length; at += 1) {
    const [row, column] = [Math.floor(at / SIDE), at % SIDE];
    found[Math.floor(row / side) * CELLS + Math.floor(column / side)].push(square[at]);
  }
  return found.map(of);
}

/** Half the sum and half the difference of the left half and the mirrored right one. @param {number[]} values */
function folded(values) {
  const [both, apart] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
  for (let row = 0; row < CELLS; row += 1) {
    for (let column = 0; column < CELLS / 2; column += 1) {
      const [left, right] = [values[row * CELLS + column], values[row * CELLS + CELLS - 1 - column]];
      both.push((left + right) / 2);
      apart.push(Math.abs(left - right) / 2);
    }
  }
  return [...both, ...apart];
}

/** @param {Uint8Array} square */
export function greyLooks(square) {
  const shares = Float32Array.from(square, (value) => value / 255);
  const means = cells(shares, (cell) => momentsOf(cell).mean);
  const { mean, deviation } = momentsOf(means);
  return [
    ...folded(means.map((each) => (each - mean) / (deviation + FLAT))),
    ...folded(cells(shares, (cell) => momentsOf(cell).deviation)),
    ...levels(square),
    ...texture(square),
  ];
}

/** Quantiles. @param {Uint8Array} square */
function levels(square) {
  const sorted = square.slice().sort();
  return LEVELS.map((level) => {
    const place = level * (square.length - 1);
    const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
    return (below + (place - Math.floor(place)) * (above - below)) / 255;
  });
}

/** @param {Uint8Array} square */
function texture(square) {
  const size = SIDE * (SIDE - 1);
  const found = [1, SIDE].map((step) => {
    let [sum, changes, edges] = [0, 0, 0];
    for (let at = 0; at + step < square.length; at += 1) {
      if (step === 1 && at % SIDE === SIDE - 1) continue;
      const apart = Math.abs(square[at + step] - square[at]);
      sum += apart;
      changes += apart ? 1 : 0;
      edges += apart > STEP ? 1 : 0;
    }
    return { mean: Math.log(sum / size / 255 + FLAT), flat: 1 - changes / size, edges: edges / size };
  });
  return [...found.map(({ mean }) => mean), ...found.map(({ flat }) => flat), ...found.map(({ edges }) => edges)];
}

/** @param {Uint8Array} square @param {Float32Array} chance @param {LungCard} card */
function lungLooks(square, chance, card) {
  const threshold = Math.fround(card.threshold);
  const values = Uint8Array.from(chance, (value) => (value >= threshold ? 1 : 0));
  const shape = measured(chance, partsOf({ values, height: SIDE, width: SIDE }));
  const names = /** @type {(keyof typeof shape)[]} */ (Object.keys(shape));
  return [
    ...folded(cells(chance, (cell) => momentsOf(cell).mean)),
    ...names.map((name) => shape[name]),
    ...names.map((name) => Math.min(shape[name] / Math.max(card.rule[name], FLAT), 2)),
    lacking(card, shape) === null ? 1 : 0,
    ...contrast(square, chance),
    ...cut(chance),
  ];
}

/** @param {Uint8Array} square @param {Float32Array} chance */
function contrast(square, chance) {
  let [within, likely, without, unlikely] = [0, 0, 0, 0];
  square.forEach((value, at) => {
    within += (chance[at] * value) / 255;
    likely += chance[at];
    without += ((1 - chance[at]) * value) / 255;
    unlikely += 1 - chance[at];
  });
  const [inside, outside] = [within / (likely + FLAT), without / (unlikely + FLAT)];
  return [inside, outside, (inside - outside) / (momentsOf(square).deviation / 255 + 10 * FLAT)];
}

/** Mean probability of lung at the edges. @param {Float32Array} chance */
function cut(chance) {
  const width = Math.max(1, Math.floor(SIDE / 48));
  const mean = (/** @type {(row: number, column: number) => boolean} */ isIn) => {
    const found = chance.filter((_, at) => isIn(Math.floor(at / SIDE), at % SIDE));
    return found.reduce((sum, value) => sum + value, 0) / found.length;
  };
  return [
    Math.max(mean((_, column) => column < width), mean((_, column) => column >= SIDE - width)),
    mean((row) => row < width),
    mean((row) => row >= SIDE - width),
  ];
}
