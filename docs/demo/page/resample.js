/** The resampling of Pillow (libImaging/Resample.c) for 32-bit values, with the same roundings. */

/** @typedef {{values: Float32Array, height: number, width: number}} Plane Rows of values. */
/** @typedef {{support: number, weight: (x: number) => number}} Filter */

const CUBIC = -0.5;

/** @type {Record<"box" | "bilinear" | "bicubic", Filter>} */
const FILTERS = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    support: 2,
    weight(x) {
      const at = Math.abs(x);
      if (at < 1) return ((CUBIC + 2) * at - (CUBIC + 3)) * at * at + 1;
      return at < 2 ? (((at - 5) * at + 8) * at - 4) * CUBIC : 0;
    },
  },
};

/**
 * Returns which input values make each output value, and their weights.
 *
 * @param {number} size of the input
 * @param {number} from where its used part begins
 * @param {number} to where it ends
 * @param {number} count output values
 * @param {Filter} filter
 */
function taps(size, from, to, count, filter) {
  const scale = (to - from) / count;
  const stretch = Math.max(scale, 1);
  const support = filter.support * stretch;
  return Array.from({ length: count }, (_, place) => {
    const middle = from + (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(middle - support + 0.5));
    const end = Math.min(size, Math.trunc(middle + support + 0.5));
    const weights = new Float64Array(end - first);
    let sum = 0;
    for (let at = 0; at < weights.length; at += 1) {
      weights[at] = filter.weight((at + first - middle + 0.5) * (1 / stretch));
      sum += weights[at];
    }
    if (sum !== 0) for (let at = 0; at < weights.length; at += 1) weights[at] /= sum;
    return { first, weights };
  });
}

/**
 * Returns an image at another size.
 *
 * @param {Plane} image
 * @param {number} height
 * @param {number} width
 * @param {"box" | "bilinear" | "bicubic"} kind
 * @param {[number, number, number, number]} [box] left, top, right and bottom of the part that is used
 * @returns {Plane}
 */
export function resized(image, height, width, kind, box = [0, 0, image.width, image.height]) {
  const isAll = box[0] === 0 && box[1] === 0 && box[2] === image.width && box[3] === image.height;
  const down = image.height !== height || !isAll;
  const across = image.width !== width || !isAll;
  const wide = across ? rows(image, taps(image.width, box[0], box[2], width, FILTERS[kind])) : image;
  return down ? columns(wide, taps(image.height, box[1], box[3], height, FILTERS[kind])) : wide;
}

/** @param {Plane} image @param {ReturnType<typeof taps>} along @returns {Plane} */
function rows({ values, height, width }, along) {
  const found = new Float32Array(height * along.length);
  for (let row = 0; row < height; row += 1) {
    for (let place = 0; place < along.length; place += 1) {
      const { first, weights } = along[place];
      const start = row * width + first;
      let sum = 0;
      for (let at = 0; at < weights.length; at += 1) sum += values[start + at] * weights[at];
      found[row * along.length + place] = sum;
    }
  }
  return { values: found, height, width: along.length };
}

/** @param {Plane} image @param {ReturnType<typeof taps>} along @returns {Plane} */
function columns({ values, width }, along) {
  const found = new Float32Array(along.length * width);
  const sums = new Float64Array(width);
  along.forEach(({ first, weights }, row) => {
    sums.fill(0);
    for (let at = 0; at < weights.length; at += 1) {
      const start = (first + at) * width;
      for (let column = 0; column < width; column += 1) sums[column] += values[start + column] * weights[at];
    }
    found.set(sums, row * width);
  });
  return { values: found, height: along.length, width };
}

/**
 * Returns values between those of an image as OpenCV's INTER_LINEAR does, without a filter: a step
 * in 32 bits, and a product that is added before it is rounded.
 *
 * @param {Plane} image
 * @param {number} height
 * @param {number} width
 * @returns {Plane}
 */
export function interpolated(image, height, width) {
  const [down, across] = [neighbours(image.height, height), neighbours(image.width, width)];
  const found = new Float32Array(height * width);
  const lines = new Map();
  const line = (/** @type {number} */ row) => {
    if (!lines.has(row)) lines.set(row, blended(image.values, row * image.width, across));
    return /** @type {Float32Array} */ (lines.get(row));
  };
  for (let row = 0; row < height; row += 1) {
    const { first, second, share } = down[row];
    const [upper, lower] = [line(first), line(second)];
    for (let column = 0; column < width; column += 1) {
      found[row * width + column] = upper[column] + Math.fround(lower[column] - upper[column]) * share;
    }
  }
  return { values: found, height, width };
}

/** @param {Float32Array} values @param {number} start @param {ReturnType<typeof neighbours>} across */
function blended(values, start, across) {
  return Float32Array.from(
    across,
    ({ first, second, share }) => {
      const value = values[start + first];
      return value + Math.fround(values[start + second] - value) * share;
    },
  );
}

/** @param {number} size @param {number} count */
function neighbours(size, count) {
  const scale = 1 / (count / size);
  return Array.from({ length: count }, (_, place) => {
    const at = (place + 0.5) * scale - 0.5;
    const first = Math.floor(at);
    if (first < 0) return { first: 0, second: 0, share: 0 };
    if (first >= size - 1) return { first: size - 1, second: size - 1, share: 0 };
    return { first, second: first + 1, share: Math.fround(at - first) };
  });
}

/**
 * Returns bytes at another size as OpenCV's INTER_NEAREST does.
 *
 * @param {Uint8Array} values
 * @param {[number, number]} shape height and width
 * @param {[number, number]} to
 */
export function nearest(values, [height, width], [rowCount, columnCount]) {
  const found = new Uint8Array(rowCount * columnCount);
  const [down, across] = [1 / (rowCount / height), 1 / (columnCount / width)];
  const places = Array.from({ length: columnCount }, (_, column) => Math.min(Math.floor(column * across), width - 1));
  for (let row = 0; row < rowCount; row += 1) {
    const start = Math.min(Math.floor(row * down), height - 1) * width;
    for (let column = 0; column < columnCount; column += 1) {
      found[row * columnCount + column] = values[start + places[column]];
    }
  }
  return found;
}
