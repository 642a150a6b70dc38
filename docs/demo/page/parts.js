/** The parts of masks: connected ones, the two lungs, and their edges (pulmo.lungs.parts). */

/** @typedef {import("./resample.js").Plane} Plane */
/** @typedef {{values: Uint8Array, height: number, width: number}} Mask 1 inside, 0 outside. */
/** @typedef {{label: number, area: number, top: number, bottom: number, left: number, right: number, column: number}} Part
 * Its rows and columns, the last inside, and its mean column. */
/** @typedef {{left: Mask, right: Mask, stray: Mask}} Parts As they lie in the image. */
/** @typedef {{area: number, certainty: number, sharpness: number, balance: number, level: number, whole: number}} Shape */

const LEAST_PART = 0.1;
const WAIST = 0.7;

/**
 * Returns the parts of a mask whose pixels touch at a side or a corner.
 *
 * @param {Mask} mask
 * @returns {{labels: Int32Array, parts: Part[]}}
 */
export function connected({ values, height, width }) {
  const labels = new Int32Array(values.length);
  /** @type {Part[]} */
  const parts = [];
  /** @type {number[]} */
  const open = [];
  for (let start = 0; start < values.length; start += 1) {
    if (!values[start] || labels[start]) continue;
    const part = { label: parts.length + 1, area: 0, top: height, bottom: 0, left: width, right: 0, column: 0 };
    parts.push(part);
    labels[start] = part.label;
    open.push(start);
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const [row, column] = [Math.floor(at / width), at % width];
      part.area += 1;
      part.column += column;
      part.top = Math.min(part.top, row);
      part.bottom = Math.max(part.bottom, row);
      part.left = Math.min(part.left, column);
      part.right = Math.max(part.right, column);
      for (let down = Math.max(0, row - 1); down <= Math.min(height - 1, row + 1); down += 1) {
        for (let across = Math.max(0, column - 1); across <= Math.min(width - 1, column + 1); across += 1) {
          const next = down * width + across;
          if (!values[next] || labels[next]) continue;
          labels[next] = part.label;
          open.push(next);
        }
      }
    }
    part.column /= part.area;
  }
  return { labels, parts };
}

/** @param {Mask} mask @param {(at: number) => boolean} keep @returns {Mask} */
function chosen({ values, height, width }, keep) {
  return { values: Uint8Array.from(values, (value, at) => (value && keep(at) ? 1 : 0)), height, width };
}

/** Finds the lungs: the two largest parts, or the largest one cut at its waist. @param {Mask} mask @returns {Parts} */
export function partsOf(mask) {
  const { labels, parts } = connected(mask);
  const none = chosen(mask, () => false);
  if (!parts.length) return { left: none, right: none, stray: none };
  const [first, second] = [...parts].sort((a, b) => b.area - a.area);
  const of = (/** @type {Part} */ part) => chosen(mask, (at) => labels[at] === part.label);
  if (second && second.area >= LEAST_PART * first.area) {
    const [left, right] = [first, second].sort((a, b) => a.column - b.column);
    const stray = chosen(mask, (at) => labels[at] !== left.label && labels[at] !== right.label);
    return { left: of(left), right: of(right), stray };
  }
  const whole = of(first);
  const stray = chosen(mask, (at) => labels[at] !== first.label);
  const cut = waist(whole, first);
  if (cut !== null) {
    const isLeft = (/** @type {number} */ at) => at % mask.width < cut;
    return { left: chosen(whole, isLeft), right: chosen(whole, (at) => !isLeft(at)), stray };
  }
  return first.column < (mask.width - 1) / 2
    ? { left: whole, right: none, stray }
    : { left: none, right: whole, stray };
}

/** The column in the middle half of a part where it is lowest; null without a waist. @param {Mask} mask @param {Part} part */
function waist({ values, width, height }, part) {
  const end = part.right + 1;
  const quarter = Math.floor((end - part.left) / 4);
  if (quarter === 0) return null;
  const heights = new Int32Array(width);
  for (let at = 0; at < width * height; at += 1) heights[at % width] += values[at];
  const middle = heights.subarray(part.left + quarter, end - quarter);
  const lowest = middle.indexOf(Math.min(...middle));
  const cut = part.left + quarter + lowest;
  const sides = Math.min(
    Math.max(0, ...heights.subarray(part.left, cut)),
    Math.max(0, ...heights.subarray(cut, end)),
  );
  return middle[lowest] < WAIST * sides ? cut : null;
}

/** @param {Mask} mask */
const count = ({ values }) => values.reduce((sum, value) => sum + value, 0);

/** Rows that a mask reaches. @param {Mask} mask */
function rowsOf({ values, height, width }) {
  return Array.from({ length: height }, (_, row) => values.subarray(row * width, (row + 1) * width).includes(1));
}

/** Measures the lungs that were found. @param {Float32Array} probability @param {Parts} parts @returns {Shape} */
export function measured(probability, { left, right, stray }) {
  const areas = [count(left), count(right)].sort((a, b) => a - b);
  const both = areas[0] + areas[1];
  if (!both) return { area: 0, certainty: 0, sharpness: 0, balance: 0, level: 0, whole: 0 };
  let [certainty, sure, unsure] = [0, 0, 0];
  probability.forEach((value, at) => {
    if (left.values[at] || right.values[at]) certainty += value;
    if (value > Math.fround(0.9)) sure += 1;
    if (value > Math.fround(0.1)) unsure += 1;
  });
  const rows = [rowsOf(left), rowsOf(right)];
  const lengths = rows.map((each) => each.filter(Boolean).length);
  const shared = rows[0].filter((is, row) => is && rows[1][row]).length;
  return {
    area: both / probability.length,
    certainty: certainty / both,
    sharpness: sure / Math.max(1, unsure),
    balance: areas[0] / areas[1],
    level: shared / Math.max(1, Math.min(...lengths)),
    whole: both / (both + count(stray)),
  };
}

/** Tells of each pixel whether the lung on the left is nearer. @param {Parts} parts */
export function nearerLeft({ left, right }) {
  const [isLeft, isRight] = [left.values.includes(1), right.values.includes(1)];
  if (!isLeft || !isRight) return new Uint8Array(left.values.length).fill(isLeft ? 1 : 0);
  const [there, other] = [squaredDistances(left), squaredDistances(right)];
  return Uint8Array.from(there, (distance, at) => (distance <= other[at] ? 1 : 0));
}

/** Squared distances to a mask: the nearest pixel of each row, then of all rows. @param {Mask} mask */
function squaredDistances({ values, height, width }) {
  const across = new Float64Array(values.length).fill(Infinity);
  for (let row = 0; row < height; row += 1) {
    const ends = [];
    for (let column = 0; column < width; column += 1) if (values[row * width + column]) ends.push(column);
    if (!ends.length) continue;
    let next = 0;
    for (let column = 0; column < width; column += 1) {
      while (next + 1 < ends.length && Math.abs(ends[next + 1] - column) <= Math.abs(ends[next] - column)) next += 1;
      across[row * width + column] = (ends[next] - column) ** 2;
    }
  }
  const found = new Float64Array(values.length);
  for (let column = 0; column < width; column += 1) {
    for (let row = 0; row < height; row += 1) {
      let least = Infinity;
      for (let other = 0; other < height; other += 1) {
        const distance = across[other * width + column] + (other - row) ** 2;
        if (distance < least) least = distance;
      }
      found[row * width + column] = least;
    }
  }
  return found;
}
