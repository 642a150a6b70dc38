/**
 * PNG files become samples. A browser would give 8 bits of 16, and colours that it has managed.
 * Sections are those of the PNG specification, third edition.
 */

import { exifOrientation, joined, long, short, text, xmpOrientation } from "./bytes.js";
import { Unreadable, damaged, notHere, truncated } from "./unreadable.js";

/** @typedef {import("./raster.js").Samples} Samples */
/** @typedef {{kind: string, data: Uint8Array}} Chunk */
/** @typedef {{width: number, height: number, bits: number, colour: number, isInterlaced: boolean}} Header */

/** Type of colour -> samples of a pixel (table 11.1). */
const CHANNELS = new Map([[0, 1], [2, 3], [3, 1], [4, 2], [6, 4]]);
const [GREY, RGB, PALETTE] = [0, 2, 3];
/** First column and row, and the distances of columns and rows, of each pass (8.1). */
const PLAIN = [[0, 0, 1, 1]];
const ADAM7 = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];

/** @param {Uint8Array} file @param {(height: number, width: number) => void} check of the size, before it is decoded */
export async function pngSamples(file, check) {
  const chunks = chunksOf(file);
  const [{ kind, data }] = chunks;
  if (kind !== "IHDR" || data.length < 13) throw damaged("PNG");
  const header = {
    width: long(data, 0), height: long(data, 4), bits: data[8], colour: data[9], isInterlaced: data[12] === 1,
  };
  const frames = chunks.find((chunk) => chunk.kind === "acTL")?.data;
  if (frames && long(frames, 0) !== 1) {
    throw new Unreadable("refused", "image-several", "The image contains several images. One image was expected.");
  }
  check(header.height, header.width);
  return samplesOf(header, chunks, await rawSamples(header, chunks));
}

/** @param {Uint8Array} file @returns {Chunk[]} */
function chunksOf(file) {
  /** @type {Chunk[]} */
  const found = [];
  for (let at = 8; at + 12 <= file.length;) {
    const length = long(file, at);
    const kind = text(file, at + 4, at + 8);
    found.push({ kind, data: file.subarray(at + 8, at + 8 + length) });
    if (kind === "IEND") return found;
    at += 12 + length;
  }
  throw new Unreadable("failed", "image-truncated", "The image is a truncated PNG file: its end is missing.");
}

/**
 * Returns the samples as they are stored, [height, width, channels].
 *
 * @param {Header} header
 * @param {Chunk[]} chunks
 */
async function rawSamples(header, chunks) {
  const { width, height, bits, colour } = header;
  const channels = CHANNELS.get(colour);
  if (!channels || ![1, 2, 4, 8, 16].includes(bits)) throw damaged("PNG");
  const passes = (header.isInterlaced ? ADAM7 : PLAIN).map(([left, top, across, down]) => ({
    left, top, across, down,
    columns: Math.max(0, Math.ceil((width - left) / across)),
    rows: Math.max(0, Math.ceil((height - top) / down)),
  }));
  const stride = (/** @type {number} */ columns) => Math.ceil((columns * bits * channels) / 8);
  const needed = passes.reduce((sum, { columns, rows }) => sum + (columns ? rows * (1 + stride(columns)) : 0), 0);
  const data = await inflated(chunks.filter(({ kind }) => kind === "IDAT").map((chunk) => chunk.data), needed);
  const values = new (bits === 16 ? Uint16Array : Uint8Array)(width * height * channels);
  let start = 0;
  for (const { left, top, across, down, columns, rows } of passes) {
    if (!columns) continue;
    const size = stride(columns);
    let above = new Uint8Array(size);
    for (let row = 0; row < rows; row += 1) {
      const line = data.subarray(start + 1, start + 1 + size);
      unfilter(data[start], line, above, Math.max(1, (bits * channels) >> 3));
      above = line;
      start += 1 + size;
      for (let at = 0; at < columns * channels; at += 1) {
        const column = left + Math.floor(at / channels) * across;
        values[((top + row * down) * width + column) * channels + (at % channels)] = sample(line, at, bits);
      }
    }
  }
  return values;
}

/** @param {Uint8Array} line @param {number} at @param {number} bits */
function sample(line, at, bits) {
  if (bits === 8) return line[at];
  if (bits === 16) return short(line, 2 * at);
  const place = at * bits;
  return (line[place >> 3] >> (8 - bits - (place & 7))) & ((1 << bits) - 1);
}

/**
 * Undoes the filter of a row (9.2).
 *
 * @param {number} filter
 * @param {Uint8Array} line it is changed
 * @param {Uint8Array} above
 * @param {number} step bytes from a pixel to the next
 */
function unfilter(filter, line, above, step) {
  if (filter > 4) throw damaged("PNG");
  for (let at = 0; at < line.length && filter; at += 1) {
    const left = at >= step ? line[at - step] : 0;
    const up = above[at];
    if (filter === 1) line[at] += left;
    else if (filter === 2) line[at] += up;
    else if (filter === 3) line[at] += (left + up) >> 1;
    else line[at] += paeth(left, up, at >= step ? above[at - step] : 0);
  }
}

/** @param {number} left @param {number} up @param {number} corner */
function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

/** Unpacks what deflate packed. @param {Uint8Array[]} parts @param {number} needed bytes */
async function inflated(parts, needed) {
  const source = new Blob(/** @type {Uint8Array<ArrayBuffer>[]} */ (parts)).stream();
  const reader = source.pipeThrough(new DecompressionStream("deflate")).getReader();
  const found = [];
  let length = 0;
  try {
    while (length < needed) {
      const { value, done } = await reader.read();
      if (done) throw truncated("PNG");
      found.push(value);
      length += value.length;
    }
  } catch (error) {
    // A stream that is damaged and one that ends early raise the same.
    throw error instanceof Unreadable ? error : damaged("PNG");
  }
  // What follows the last row is nobody's.
  void reader.cancel().catch(() => {});
  return joined(found);
}

/**
 * @param {Header} header
 * @param {Chunk[]} chunks
 * @param {Uint8Array | Uint16Array} raw
 * @returns {Samples}
 */
function samplesOf(header, chunks, raw) {
  const { width, height, bits, colour } = header;
  const find = (/** @type {string} */ name) => chunks.find(({ kind }) => kind === name)?.data;
  const key = find("tRNS");
  const common = { width, height, bits, form: "PNG", orientation: orientationOf(chunks) };
  const top = bits === 16 ? 65535 : 255;
  if (colour === PALETTE) return { ...common, top, ...fromPalette(raw, find("PLTE"), key) };
  if (key && (colour === RGB ? bits !== 8 : bits < 8)) {
    throw notHere("The image is a PNG file with a transparent value of a rare kind.");
  }
  const widened = bits < 8 ? raw.map((value) => (value * 255) / (2 ** bits - 1)) : raw;
  if (colour === GREY) {
    const hidden = key && short(key, 0);
    const opacity = key ? widened.map((value) => (value === hidden ? 0 : top)) : null;
    return { ...common, top, channels: 1, values: widened, opacity };
  }
  if (colour === RGB) {
    const hidden = key && [short(key, 0), short(key, 2), short(key, 4)];
    const isHidden = (/** @type {number} */ at) => hidden?.every((value, channel) => raw[3 * at + channel] === value);
    const opacity = hidden ? Uint8Array.from({ length: width * height }, (_, at) => (isHidden(at) ? 0 : 255)) : null;
    return { ...common, top, channels: 3, values: widened, opacity };
  }
  const channels = colour === 4 ? 1 : 3;
  const [values, opacity] = [raw.slice(0, width * height * channels), raw.slice(0, width * height)];
  for (let at = 0; at < width * height; at += 1) {
    const start = at * (channels + 1);
    for (let channel = 0; channel < channels; channel += 1) values[at * channels + channel] = raw[start + channel];
    opacity[at] = raw[start + channels];
  }
  return { ...common, top, channels, values, opacity };
}

/** @param {Uint8Array | Uint16Array} indices @param {Uint8Array | undefined} palette @param {Uint8Array | undefined} alphas */
function fromPalette(indices, palette, alphas) {
  if (!palette) throw damaged("PNG");
  const values = new Uint8Array(3 * indices.length);
  const opacity = alphas ? new Uint8Array(indices.length) : null;
  indices.forEach((index, at) => {
    values.set(palette.subarray(3 * index, 3 * index + 3), 3 * at);
    if (opacity) opacity[at] = alphas?.[index] ?? 255;
  });
  return { channels: /** @type {3} */ (3), values, opacity };
}

/** @param {Chunk[]} chunks */
function orientationOf(chunks) {
  const words = chunks.filter(({ kind }) => ["tEXt", "zTXt", "iTXt"].includes(kind)).map(({ data }) => data);
  if (words.some((data) => text(data, 0, 21) === "Raw profile type exif")) {
    throw notHere("The image is a PNG file with EXIF as text.");
  }
  const exif = chunks.find(({ kind }) => kind === "eXIf")?.data;
  const xmp = words.find((data) => text(data, 0, 17) === "XML:com.adobe.xmp");
  return (exif && exifOrientation(exif)) ?? (xmp && xmpOrientation(text(xmp))) ?? 1;
}
