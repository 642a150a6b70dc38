/**
 * The calls of the API, answered in this page: it has the same functions as the module that asks a
 * server. What an image is asked for later is computed again of its file, so little memory is held.
 */

import { emptyPrediction, factsOf, resultOf } from "./answers.js";
import { Model, loaded, read } from "./model.js";
import { sha256 } from "./numbers.js";
import { Unreadable } from "./unreadable.js";
import * as views from "./views.js";

/** @typedef {import("./types.js").Prediction} Prediction */
/** @typedef {import("./views.js").Shown} Shown */
/** @typedef {{file: Blob, prediction: Prediction}} Known */

/** A call that cannot be answered. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} code for programs
   * @param {string} message for people
   */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Of a server alone; nothing raises it here. */
export class ServerGone extends Error {}

/** Always "up". @type {EventTarget & {state: string}} */
export const server = Object.assign(new EventTarget(), { state: "up" });

/** @returns {Promise<boolean>} */
export const isAlive = async () => true;

/** @param {number} milliseconds @returns {Promise<void>} */
export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Images that are kept with their pixels. */
const RECENT = 2;
/** @type {Map<string, Known>} */
const known = new Map();
/** @type {Map<string, Promise<Shown>>} */
const recent = new Map();
/** @type {Promise<Model> | null} */
let opening = null;
/** @type {Promise<unknown>} */
let last = Promise.resolve();

function model() {
  opening ??= Model.open().catch((error) => {
    opening = null;
    throw new ApiError(500, "model-not-loaded", `The model cannot be loaded: ${error.message ?? error}`);
  });
  return opening;
}

/**
 * Does one piece of work after the other, and lets the page be drawn in between.
 *
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
function inTurn(work) {
  const found = last.then(() => pause(0)).then(work);
  last = found.catch(() => {});
  return found;
}

/**
 * Classifies an image.
 *
 * @param {Blob} image
 * @param {string} _model there is one
 * @param {(share: number) => void} onProgress
 * @param {AbortSignal} signal
 * @returns {Promise<Prediction>}
 */
export async function predict(image, _model, onProgress, signal) {
  const opened = await model();
  const prediction = await inTurn(async () => {
    signal.throwIfAborted();
    onProgress(1);
    await pause(0);
    return predictionOf(opened, image);
  });
  known.set(prediction.id, { file: image, prediction });
  return prediction;
}

/** @param {Model} opened @param {Blob} file @returns {Promise<Prediction>} */
async function predictionOf(opened, file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const hash = await sha256(bytes);
  const empty = emptyPrediction(opened.contents, hash);
  /** @type {Partial<Prediction>} */
  let facts = {};
  try {
    const radiograph = await read(bytes);
    facts = { facts: factsOf(radiograph) };
    const outcome = await opened.predict(radiograph, hash);
    keep(empty.id, Promise.resolve({ contents: opened.contents, image: radiograph.image, outcome }));
    return { ...empty, ...facts, ...resultOf(opened.contents, outcome) };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { ...empty, ...facts, status: error.status, code: error.code, reason: error.message };
  }
}

/** @param {string} id @param {Promise<Shown>} shown */
function keep(id, shown) {
  recent.delete(id);
  recent.set(id, shown);
  for (const oldest of recent.keys()) {
    if (recent.size <= RECENT) break;
    recent.delete(oldest);
  }
}

/** The image of a prediction, with its result. @param {string} id @returns {Promise<Shown>} */
function shownOf(id) {
  const found = recent.get(id) ?? inTurn(async () => {
    const opened = await model();
    const radiograph = await read(new Uint8Array(await fileOf(id).arrayBuffer()));
    const outcome = await opened.predict(radiograph, fileHash(id));
    return { contents: opened.contents, image: radiograph.image, outcome };
  });
  keep(id, found);
  found.catch(() => recent.delete(id));
  return found;
}

/** The image of a prediction, also of one that the model refuses. @param {string} id */
async function imageOf(id) {
  const found = recent.get(id);
  if (found) return (await found).image;
  return (await read(new Uint8Array(await fileOf(id).arrayBuffer()))).image;
}

/** @param {string} id */
function knownOf(id) {
  const found = known.get(id);
  if (!found) throw new ApiError(404, "prediction-unknown", "There is no such result.");
  return found;
}
const fileOf = (/** @type {string} */ id) => knownOf(id).file;
const fileHash = (/** @type {string} */ id) => knownOf(id).prediction.sha256;

/** What is given of a prediction. @type {Record<string, (id: string, query: URLSearchParams) => Promise<Response>>} */
const VIEWS = {
  async image(id, query) {
    const { values, height, width } = views.pixels(await imageOf(id), Number(query.get("side")));
    return new Response(values, { headers: { "X-Image-Width": String(width), "X-Image-Height": String(height) } });
  },
  async heatmap(id, query) {
    const layer = views.heatMap(await shownOf(id), query.get("class") ?? "");
    const canvas = new OffscreenCanvas(layer.width, layer.height);
    canvas.getContext("2d")?.putImageData(layer, 0, 0);
    return new Response(await canvas.convertToBlob());
  },
  explanation: async (id, query) => Response.json(views.explanation(await shownOf(id), query.get("class") ?? "")),
  lungs: async (id) => Response.json(views.lungs(await shownOf(id))),
  boxes: async (id, query) => Response.json(views.boxes(await shownOf(id), query.get("class") ?? "")),
};

/**
 * Answers a call of the API.
 *
 * @param {string} path
 * @param {{method?: string, signal?: AbortSignal}} options
 * @returns {Promise<Response>}
 */
export async function call(path, { method = "GET", signal } = {}) {
  signal?.throwIfAborted();
  const { pathname, searchParams } = new URL(path, "http://page");
  const [, , what, id, part] = pathname.split("/");
  if (what === "models") return id ? loaded("card.html") : Response.json({ models: [(await model()).contents.summary] });
  // Nothing stays after the page is closed, so there are no earlier results.
  if (!id) return Response.json({ predictions: [], next: null });
  if (method === "DELETE") {
    known.delete(id);
    recent.delete(id);
    return new Response();
  }
  return VIEWS[part](id, searchParams);
}
