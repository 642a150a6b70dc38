/** What the server gives of an image for the viewer, kept for the images that were looked at last. */

import { call } from "./api.js";

/** @typedef {import("./types.js").Boxes} Boxes */
/** @typedef {import("./types.js").Explanation} Explanation */
/** @typedef {import("./types.js").Lungs} Lungs */
/** @typedef {import("./pane.js").Pixels} Pixels */

/** Answers that are kept; of these an image's pixels take up to some 30 MB. */
const KEPT = 24;
/** @type {Map<string, Promise<unknown>>} */
const kept = new Map();

/**
 * Asks once for what several things of the page want, also while it is on its way.
 *
 * @template T
 * @param {string} path
 * @param {AbortSignal} signal
 * @param {(response: Response) => Promise<T>} read
 * @returns {Promise<T>}
 */
function once(path, signal, read) {
  const known = /** @type {Promise<T> | undefined} */ (kept.get(path));
  const found = known ?? call(path, { signal }).then(read);
  // The last one that was asked for is the last one that is dropped.
  kept.delete(path);
  kept.set(path, found);
  found.catch(() => {
    if (kept.get(path) === found) kept.delete(path);
  });
  for (const oldest of kept.keys()) {
    if (kept.size <= KEPT) break;
    kept.delete(oldest);
  }
  return found;
}

/** @param {string} id @param {Record<string, string>} [query] @param {string} [part] */
const path = (id, part = "", query = {}) =>
  `/v1/predictions/${id}${part}?${new URLSearchParams(query)}`;

/**
 * @param {string} id of the prediction
 * @param {number} side the longest, in pixels
 * @param {AbortSignal} signal
 * @returns {Promise<Pixels>}
 */
export function loadPixels(id, side, signal) {
  const query = { form: "raw16", side: String(side) };
  return once(path(id, "/image", query), signal, async (response) => {
    const bytes = await response.arrayBuffer();
    const width = Number(response.headers.get("X-Image-Width"));
    const height = Number(response.headers.get("X-Image-Height"));
    if (bytes.byteLength !== 2 * width * height) throw new Error("The image is incomplete.");
    return { values: new Uint16Array(bytes), width, height };
  });
}

/**
 * @param {string} id
 * @param {{class: string, method: string}} which
 * @param {AbortSignal} signal
 * @returns {Promise<{bitmap: ImageBitmap, explanation: Explanation}>}
 */
export async function loadHeatMap(id, which, signal) {
  // One after the other: the server makes a map once and answers both from it.
  const bitmap = await once(path(id, "/heatmap", which), signal, async (response) =>
    createImageBitmap(await response.blob()),
  );
  const explanation = await once(
    path(id, "/explanation", which), signal,
    (response) => /** @type {Promise<Explanation>} */ (response.json()),
  );
  return { bitmap, explanation };
}

/** @param {string} id @param {AbortSignal} signal @returns {Promise<Lungs>} */
export function loadLungs(id, signal) {
  return once(path(id, "/lungs"), signal, (response) => response.json());
}

/** @param {string} id @param {string} label @param {AbortSignal} signal @returns {Promise<Boxes>} */
export function loadBoxes(id, label, signal) {
  return once(path(id, "/boxes", { class: label }), signal, (response) => response.json());
}

/** Forgets what is kept of an image. @param {string} id */
export function forget(id) {
  for (const key of [...kept.keys()]) if (key.includes(`/${id}`)) kept.delete(key);
}
