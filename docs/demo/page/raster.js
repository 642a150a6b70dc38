/** The bytes of a file become a grey image, as pulmo.radiograph makes it. */

import { text } from "./bytes.js";
import { jpegSamples } from "./jpeg.js";
import { made } from "./numbers.js";
import { pngSamples } from "./png.js";
import { Unreadable, notHere } from "./unreadable.js";

/** @typedef {import("./resample.js").Plane} Plane */
/** @typedef {{kind: string, text: string}} Note */
/**
 * Samples in rows, 0 to top; of colour red, green and blue of each pixel. Opacity is 0 to top too.
 *
 * @typedef {object} Samples
 * @property {string} form
 * @property {number} width
 * @property {number} height
 * @property {number} bits of a stored sample
 * @property {number} top
 * @property {1 | 3} channels
 * @property {Uint8Array | Uint16Array} values
 * @property {Uint8Array | Uint16Array | null} opacity
 * @property {number} orientation of EXIF
 */
/** @typedef {{image: Plane, form: string, bits: number, notes: Note[]}} Radiograph Values are 0, black, to 1. */

const LIMITS = { pixels: 64_000_000, bytes: 512 * 2 ** 20, side: 16 };
const MAX_CHROMA = 0.08;
const LUMA = [0.299, 0.587, 0.114];
const FEW_BITS = 12;

/**
 * Reads a PNG or JPEG file.
 *
 * @param {Uint8Array} file
 * @returns {Promise<Radiograph>}
 */
export async function radiographOf(file) {
  if (!file.length) throw new Unreadable("failed", "file-empty", "The image is empty.");
  if (file.length > LIMITS.bytes) throw refused("file-too-large", "The image has more than 512 MiB.");
  const samples = await samplesOf(file);
  const notes = /** @type {Note[]} */ ([]);
  const grey = greyOf(samples, notes);
  checkShown(grey);
  const image = oriented({ values: grey, height: samples.height, width: samples.width }, samples.orientation);
  if (samples.bits === 16) notes.push(...unusedBits(grey));
  return { image, form: samples.form, bits: samples.bits, notes };
}

/** @param {string} code @param {string} message */
const refused = (code, message) => new Unreadable("refused", code, message);

/** @param {Uint8Array} file @returns {Promise<Samples>} */
function samplesOf(file) {
  const start = text(file, 0, 132);
  if (start.startsWith("\x89PNG\r\n\x1a\n")) return pngSamples(file, checkShape);
  if (start.startsWith("\xff\xd8\xff")) return jpegSamples(file, checkShape);
  const others = /** @type {[RegExp, string][]} */ ([
    [/^.{128}DICM/s, "DICOM"], [/^II[*+]|^MM\0[*+]/, "TIFF"], [/^RIFF.{4}WEBP/s, "WebP"], [/^BM.{4}\0{4}/s, "BMP"],
    [/^\xff\x4f\xff\x51|^\0\0\0\x0cjP {2}/, "JPEG 2000"],
  ]);
  const found = others.find(([pattern]) => pattern.test(start));
  if (found) throw notHere(`The image is a ${found[1]} file.`);
  throw new Unreadable(
    "failed", "image-format-unknown",
    "The image is not a PNG or JPEG file: its content is of another kind. If it is DICOM, use pulmo serve.",
  );
}

/** @param {number} height @param {number} width */
function checkShape(height, width) {
  const size = `${width} x ${height} pixels`;
  if (height * width > LIMITS.pixels) {
    throw refused("image-too-large", `The image is ${size}; at most ${LIMITS.pixels} pixels are read. Export it at a lower resolution.`);
  }
  if (Math.min(height, width) < LIMITS.side) {
    throw refused("image-too-small", `The image is ${size}; both sides must be at least ${LIMITS.side} pixels.`);
  }
}

/** Returns samples as grey, 0 to 1, in the same roundings. @param {Samples} samples @param {Note[]} notes */
function greyOf({ values, opacity, top, channels }, notes) {
  const { fround } = Math;
  /** @type {Uint8Array | Uint16Array | Float32Array} */
  let shown = values;
  if (opacity?.some((value) => value < top)) {
    shown = made(new Float32Array(values.length), (at) => values[at] * fround(opacity[Math.floor(at / channels)] / top));
    notes.push({ kind: "transparency", text: "Transparent parts were made black." });
  }
  const grey = new Float32Array(shown.length / channels);
  if (channels === 1) return made(grey, (at) => shown[at] / top);
  let spread = 0;
  for (let at = 0; at < shown.length; at += 3) {
    const [red, green, blue] = [shown[at], shown[at + 1], shown[at + 2]];
    spread += Math.max(red, green, blue) - Math.min(red, green, blue);
  }
  if (!spread) return made(grey, (at) => shown[3 * at] / top);
  const chroma = spread / grey.length / top;
  if (chroma > MAX_CHROMA) {
    throw refused(
      "image-colour",
      `The image is a colour image (mean chroma ${chroma.toFixed(3)}; at most ${MAX_CHROMA} is accepted). A grey radiograph was expected.`,
    );
  }
  notes.push({ kind: "colour", text: `Colour was removed (mean chroma ${chroma.toFixed(3)}).` });
  const [red, green, blue] = LUMA.map((weight) => fround(weight / top));
  return made(grey, (at) =>
    fround(fround(fround(shown[3 * at] * red) + fround(shown[3 * at + 1] * green)) + fround(shown[3 * at + 2] * blue)));
}

/** Refuses an image that shows nothing. @param {Float32Array} grey */
function checkShown(grey) {
  if (grey.every((value) => value === grey[0])) {
    throw refused("image-blank", "The image is blank: all pixels of the displayed image are equal.");
  }
}

/** Returns an image turned and mirrored as EXIF 2.32, tag 274, asks. @param {Plane} image @param {number} orientation @returns {Plane} */
function oriented(image, orientation) {
  if (orientation < 2 || orientation > 8) return image;
  const isTurned = orientation >= 5;
  const [height, width] = isTurned ? [image.width, image.height] : [image.height, image.width];
  const [flipsRows, flipsColumns] = [[3, 4, 7, 8].includes(orientation), [2, 3, 6, 7].includes(orientation)];
  const values = new Float32Array(height * width);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const [down, across] = [flipsRows ? height - 1 - row : row, flipsColumns ? width - 1 - column : column];
      const from = isTurned ? across * image.width + down : down * image.width + across;
      values[row * width + column] = image.values[from];
    }
  }
  return { values, height, width };
}

/** A note where a 16-bit image leaves upper bits unused. @param {Float32Array} grey @returns {Note[]} */
function unusedBits(grey) {
  const largest = Math.round(grey.reduce((most, value) => Math.max(most, value), 0) * 65535);
  const bits = largest.toString(2).length;
  if (bits < 16) return [{ kind: "bits-unused", text: `The values use ${bits} of 16 bits, so the image is dark.` }];
  const many = grey.reduce((count, value) => count + (value >= Math.fround(2 ** FEW_BITS / 65535) ? 1 : 0), 0);
  if (many > Math.floor(grey.length / 1000)) return [];
  return [{ kind: "hot-pixel", text: `All but a few pixels use ${FEW_BITS} of 16 bits or fewer, so the image is dark.` }];
}
