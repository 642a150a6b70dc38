/** The model in the browser: its networks in ONNX Runtime, and the path from a file to a result. */

import { InferenceSession, Tensor, env } from "./runtime.js";
import { lookOf } from "./gate.js";
import { squashed } from "./geometry.js";
import { both, cutOut, decided } from "./lungs.js";
import { filled, sha256 } from "./numbers.js";
import { joined } from "./bytes.js";
import { radiographOf } from "./raster.js";
import { Unreadable } from "./unreadable.js";

/** @typedef {import("./contents.js").Contents} Contents */
/** @typedef {import("./contents.js").Note} Note */
/** @typedef {import("./geometry.js").Box} Box */
/** @typedef {import("./raster.js").Radiograph} Radiograph */
/** @typedef {import("./resample.js").Plane} Plane */
/**
 * @typedef {object} Outcome
 * @property {number[]} probabilities in the order of the classes
 * @property {Plane[]} maps of evidence over the input, one of each class
 * @property {Box | null} box the part of the image that the network saw; null if that is all
 * @property {import("./lungs.js").Lungs} lungs
 * @property {Uint8Array} input
 * @property {Note[]} notes
 */

/** Of a SHA-256, as the list of images of the training has it. */
const DIGITS = 16;
/** As pulmo.core.onnx_session: weights of 8 bits are widened, and sums stay in 32 bits. */
const OPTIONS = { executionProviders: ["wasm"], extra: { session: { disable_quant_qdq: "1" } } };

export class Model {
  /**
   * @param {Contents} contents
   * @param {InferenceSession} classifier
   * @param {InferenceSession} finder
   * @param {Set<string>} seen hashes of the images of the training
   */
  constructor(contents, classifier, finder, seen) {
    this.contents = contents;
    this.classifier = classifier;
    this.finder = finder;
    this.seen = seen;
  }

  /** Loads the model from the folder of the page. */
  static async open() {
    if (!isSecureContext) throw new Error("Open the page by https, or from this computer: browsers hash no files otherwise.");
    // Threads need headers that a static host does not send.
    env.wasm.numThreads = 1;
    const [contents, classifier, finder, list] = await Promise.all([
      loaded("model.json").then((response) => response.json()),
      loaded("model.onnx").then(bytesOf),
      loaded("lungs.onnx").then(bytesOf),
      loaded("training.sha256").then((response) => response.text()),
    ]);
    return new Model(
      contents,
      await InferenceSession.create(classifier, OPTIONS),
      await InferenceSession.create(finder, OPTIONS),
      new Set(list.split("\n").filter(Boolean)),
    );
  }

  /**
   * Classifies an image that was read.
   *
   * @param {Radiograph} radiograph
   * @param {string} hash SHA-256 of its file
   * @returns {Promise<Outcome>}
   */
  async predict({ image, notes }, hash) {
    const { contents } = this;
    const square = squashed(image, contents.lungs.size);
    const chance = await this.#chance(square);
    const lungs = decided(contents.lungs, chance, image);
    const look = await lookOf(contents.looks, square, async () => chance, contents.lungs);
    if (look && !look.note) throw new Unreadable("refused", look.code, look.message);
    const shown = this.#shown(image, lungs);
    const { logits, activation } = await this.classifier.run({ radiograph: tensor(shown.input, contents.size) });
    const scores = [.../** @type {Float32Array} */ (logits.data)];
    if (!scores.every(Number.isFinite)) {
      throw new Unreadable("failed", "output-not-finite", "The model returned a value that is not a number.");
    }
    const isKnown = await this.#isSeen(image, hash);
    const said = [...notes, ...shown.notes, ...(look?.note ? [look.note] : []), ...contents.notes.model];
    return {
      ...shown,
      lungs,
      probabilities: softmax(scores, contents.temperature),
      maps: mapsOf(activation),
      notes: isKnown ? [...said, contents.notes.seen] : said,
    };
  }

  /** Probabilities of lung. @param {Uint8Array} square */
  async #chance(square) {
    const { probability } = await this.finder.run({ radiograph: tensor(square, this.contents.lungs.size) });
    return /** @type {Float32Array} */ (probability.data);
  }

  /**
   * @param {Plane} image
   * @param {import("./lungs.js").Lungs} lungs
   * @returns {{input: Uint8Array, box: Box | null, notes: Note[]}}
   */
  #shown(image, lungs) {
    const { region, size, notes } = this.contents;
    if (region && lungs.reason === null) return { ...cutOut(this.contents, image, both(lungs)), notes: [] };
    const text = filled(notes.noLungs, { reason: lungs.reason ?? "" });
    return { input: squashed(image, size), box: null, notes: region ? [{ kind: "no-lungs", text }] : [] };
  }

  /** Whether the model was trained or chosen on an image. @param {Plane} image @param {string} hash of its file */
  async #isSeen({ values, height, width }, hash) {
    const shape = new TextEncoder().encode(`(${height}, ${width})`);
    const pixels = await sha256(joined([shape, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)]));
    return [hash, pixels].some((each) => this.seen.has(each.slice(0, DIGITS)));
  }
}

/** Reads a file. @param {Uint8Array} file */
export const read = radiographOf;

/** A file of the folder of the page. @param {string} name */
export async function loaded(name) {
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok) throw new Error(`The file ${name} of this page cannot be loaded (status ${response.status}).`);
  return response;
}

/** @param {Response} response */
const bytesOf = async (response) => new Uint8Array(await response.arrayBuffer());

/** @param {Uint8Array} square @param {number} size */
const tensor = (square, size) => new Tensor("uint8", square, [1, 1, size, size]);

/** @param {number[]} logits @param {number} temperature */
function softmax(logits, temperature) {
  const scaled = logits.map((logit) => logit / temperature);
  const powers = scaled.map((each) => Math.exp(each - Math.max(...scaled)));
  const sum = powers.reduce((total, each) => total + each, 0);
  return powers.map((each) => each / sum);
}

/** @param {import("./runtime.js").Tensor} activation @returns {Plane[]} */
function mapsOf({ dims, data }) {
  const [, classes, height, width] = dims;
  const values = /** @type {Float32Array} */ (data);
  return Array.from({ length: classes }, (_, at) => ({
    values: values.slice(at * height * width, (at + 1) * height * width), height, width,
  }));
}
