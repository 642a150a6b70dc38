/** Numbers as Python and NumPy round and write them. */

/** Rounds to the nearest whole number, and halves to the even one. @param {number} value */
export function rint(value) {
  const low = Math.floor(value);
  const apart = value - low;
  if (apart !== 0.5) return Math.round(value);
  return low % 2 ? low + 1 : low;
}

/**
 * Fills an array of millions of values, for which `from` of arrays takes seconds.
 *
 * @template {Float32Array | Uint8Array | Uint16Array} T
 * @param {T} array
 * @param {(at: number) => number} of
 * @returns {T}
 */
export function made(array, of) {
  for (let at = 0; at < array.length; at += 1) array[at] = of(at);
  return array;
}

/** @param {number} value @param {number} low @param {number} high */
export const clip = (value, low, high) => Math.min(high, Math.max(low, value));

/**
 * Fills the fields of one of pulmo's sentences, such as `{value:.1%}` or `{name}`.
 *
 * @param {string} text
 * @param {Record<string, number | string>} values
 */
export function filled(text, values) {
  return text.replace(/\{(\w+)(?::\.(\d)([f%]))?\}/g, (_, name, digits, kind) => {
    const value = values[name];
    if (typeof value === "string" || kind === undefined) return String(value);
    return kind === "%" ? `${(100 * value).toFixed(digits)}%` : value.toFixed(digits);
  });
}

/** @param {Uint8Array} bytes */
export async function sha256(bytes) {
  const digest = await crypto.subtle.digest("SHA-256", /** @type {Uint8Array<ArrayBuffer>} */ (bytes));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
