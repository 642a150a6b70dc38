/**
 * JPEG files become samples, by the browser's decoder. What would make it turn the image or manage
 * its colours is taken out of the file first. Annexes are those of ISO/IEC 10918-1.
 */

import { exifOrientation, joined, short, text, xmpOrientation } from "./bytes.js";
import { Unreadable, damaged, notHere, truncated } from "./unreadable.js";

/** @typedef {import("./raster.js").Samples} Samples */
/** @typedef {{marker: number, start: number, end: number, codedEnd: number}} Segment As pulmo.radiograph.codestream has it. */

const [START_OF_SCAN, END, HUFFMAN_TABLES, ARITHMETIC_TABLES] = [0xda, 0xd9, 0xc4, 0xcc];
const [APP1, APP2, APP14] = [0xe1, 0xe2, 0xee];
const MOST_SCANS = 100;
const MOST_PIXELS_OF_A_BYTE = 1000;
const FEW_PIXELS = 4_000_000;
/** Bytes without a marker, whose bits follow no rule (pulmo.radiograph.jpeg_data). */
const FILL = Uint8Array.from({ length: 64 }, (_, at) => 5 + (((at + 1) * (at + 1) * 89) % 241));

/** @param {number} marker of a frame (table B.1), JPEG-LS too */
const isFrame = (marker) =>
  (marker >= 0xc0 && marker <= 0xcf && ![HUFFMAN_TABLES, 0xc8, ARITHMETIC_TABLES].includes(marker)) || marker === 0xf7;
/** @param {number} marker */
const isRestart = (marker) => marker >= 0xd0 && marker <= 0xd7;

/** @param {Uint8Array} file @param {(height: number, width: number) => void} check of the size, before it is decoded */
export async function jpegSamples(file, check) {
  const segments = segmentsOf(file);
  const frame = frameOf(file, segments);
  check(frame.height, frame.width);
  const plain = withoutExtras(file, segments);
  const pixels = await decoded(plain);
  if (pixels.width !== frame.width || pixels.height !== frame.height) throw damaged("JPEG");
  await checkWhole(plain, pixels);
  const { width, height, data } = pixels;
  const channels = frame.samples;
  const values = new Uint8Array(width * height * channels);
  for (let at = 0; at < width * height; at += 1) {
    for (let channel = 0; channel < channels; channel += 1) values[at * channels + channel] = data[4 * at + channel];
  }
  const orientation = orientationOf(file, segments);
  return /** @type {Samples} */ ({ width, height, bits: 8, top: 255, form: "JPEG", channels, values, opacity: null, orientation });
}

/** Returns the segments up to the end (annex B). @param {Uint8Array} file @returns {Segment[]} */
function segmentsOf(file) {
  /** @type {Segment[]} */
  const found = [];
  for (let at = 2; at + 1 < file.length;) {
    const marker = file[at + 1];
    if (file[at] !== 0xff || marker === 0 || marker === 0xff || marker === 1 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 1;
      continue;
    }
    if (marker === END) {
      found.push({ marker, start: at, end: at + 2, codedEnd: at + 2 });
      break;
    }
    const end = at + 2 + short(file, at + 2);
    if (end > file.length || end < at + 4) break;
    const codedEnd = marker === START_OF_SCAN ? endOfScan(file, end) : end;
    found.push({ marker, start: at, end, codedEnd });
    at = codedEnd;
  }
  return found;
}

/** Where a marker follows that is neither a restart nor a stuffed byte. @param {Uint8Array} file @param {number} start */
function endOfScan(file, start) {
  for (let at = file.indexOf(0xff, start); at >= 0 && at + 1 < file.length; at = file.indexOf(0xff, at + 1)) {
    const next = file[at + 1];
    if (next !== 0 && next !== 0xff && !isRestart(next)) return at;
  }
  return file.length;
}

/**
 * Returns what the frame's header says.
 *
 * @param {Uint8Array} file
 * @param {Segment[]} segments
 */
function frameOf(file, segments) {
  const frames = segments.filter(({ marker }) => isFrame(marker));
  const scans = segments.filter(({ marker }) => marker === START_OF_SCAN).length;
  if (frames.length !== 1 || !scans) throw damaged("JPEG");
  const [{ marker, start }] = frames;
  const [bits, height, width, samples] = [file[start + 4], short(file, start + 5), short(file, start + 7), file[start + 9]];
  if (marker === 0xf7 || bits !== 8) {
    const text = `The image is a ${marker === 0xf7 ? "JPEG-LS" : "JPEG"} file of ${bits} bits a sample; JPEG of 8 bits is read outside DICOM.`;
    throw new Unreadable("refused", "image-bits-unsupported", text);
  }
  if (![0xc0, 0xc1, 0xc2].includes(marker)) throw notHere("The image is a JPEG file of a rare kind.");
  if (samples !== 1 && samples !== 3) throw notHere(`The image is a JPEG file with ${samples} samples a pixel.`);
  if (segments.some((each) => each.marker === APP2 && text(file, each.start + 4, each.start + 7) === "MPF")) {
    throw notHere("The image is a JPEG file that may hold several images.");
  }
  if (scans > MOST_SCANS) {
    const text = `The image contains a JPEG image of ${scans} scans; at most ${MOST_SCANS} are read.`;
    throw new Unreadable("refused", "jpeg-scans-too-many", text);
  }
  if (height * width > Math.max(FEW_PIXELS, MOST_PIXELS_OF_A_BYTE * file.length)) {
    const text = `The image contains a compressed image that states ${width} x ${height} pixels, but has ${file.length} bytes.`;
    throw new Unreadable("refused", "image-compressed-too-much", text);
  }
  return { height, width, samples };
}

/**
 * Returns the file without EXIF, profiles and comments, and with an end; Adobe's marker tells the
 * decoder how colours are stored.
 *
 * @param {Uint8Array} file
 * @param {Segment[]} segments
 */
function withoutExtras(file, segments) {
  const kept = segments.filter(({ marker }) => marker < APP1 || marker === APP14);
  const pieces = kept.map(({ start, codedEnd }) => file.subarray(start, codedEnd));
  const isEnded = segments.some(({ marker }) => marker === END);
  return joined([file.subarray(0, 2), ...pieces, ...(isEnded ? [] : [Uint8Array.of(0xff, END)])]);
}

/** @param {Uint8Array} file */
async function decoded(file) {
  const blob = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (file)], { type: "image/jpeg" });
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none" }).catch(() => null);
  if (!bitmap) throw damaged("JPEG");
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw damaged("JPEG", "the browser gives no canvas of its size");
  checkCanvas(context);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** Refuses a canvas that a browser changes, so that nobody tells it from others. @param {OffscreenCanvasRenderingContext2D} context */
function checkCanvas(context) {
  const pattern = new ImageData(16, 16);
  pattern.data.forEach((_, at) => (pattern.data[at] = at % 4 === 3 ? 255 : (at * 37) % 256));
  context.putImageData(pattern, 0, 0);
  const found = context.getImageData(0, 0, 16, 16).data;
  context.clearRect(0, 0, 16, 16);
  if (!pattern.data.every((value, at) => value === found[at])) {
    throw notHere("The image is a JPEG file, and this browser changes what a page reads of an image.");
  }
}

/**
 * Checks that the coded data reach the last row: then other bytes behind them change nothing.
 *
 * @param {Uint8Array} file
 * @param {ImageData} pixels
 */
async function checkWhole(file, pixels) {
  const segments = segmentsOf(file);
  if (!hasAllScans(file, segments)) throw truncated("JPEG");
  const again = await decoded(withOtherDataBehind(file, segments));
  const [first, second] = [pixels.data, again.data].map((data) => new Uint32Array(data.buffer));
  if (!first.every((value, at) => value === second[at])) throw truncated("JPEG");
}

/** Whether no scan is missing that should refine a progressive image (G.1.1.1.2). @param {Uint8Array} file @param {Segment[]} segments */
function hasAllScans(file, segments) {
  if (!segments.some(({ marker }) => marker === 0xc2)) return true;
  /** @type {Map<string, number>} */
  const lowest = new Map();
  for (const { marker, start, end } of segments) {
    if (marker !== START_OF_SCAN || end - start < 8) continue;
    const [first, last, bits] = file.subarray(end - 3, end);
    for (let sample = 0; sample < file[start + 4]; sample += 1) {
      for (let place = first; place <= Math.min(last, 63); place += 1) {
        lowest.set(`${file[start + 5 + 2 * sample]} ${place}`, bits & 0x0f);
      }
    }
  }
  return [...lowest.values()].every((bits) => bits === 0);
}

/** Returns the file with arbitrary bytes behind each stretch of coded data. @param {Uint8Array} file @param {Segment[]} segments */
function withOtherDataBehind(file, segments) {
  const pieces = [];
  let done = 0;
  for (const { marker, end, codedEnd } of segments) {
    if (marker !== START_OF_SCAN) continue;
    pieces.push(file.subarray(done, end));
    let [start, restarts] = [end, 0];
    for (let at = file.indexOf(0xff, end); at >= 0 && at + 1 < codedEnd; at = file.indexOf(0xff, at + 1)) {
      if (!isRestart(file[at + 1])) continue;
      pieces.push(unended(file.subarray(start, at)), FILL, file.subarray(at, at + 2));
      [start, restarts] = [at + 2, restarts + 1];
    }
    pieces.push(unended(file.subarray(start, codedEnd)), FILL, Uint8Array.of(0xff, 0xd0 + (restarts % 8)), FILL);
    done = codedEnd;
  }
  return joined([...pieces, file.subarray(done)]);
}

/** A last byte 0xFF must not begin a marker with what follows it. @param {Uint8Array} data */
function unended(data) {
  let end = data.length;
  while (end && data[end - 1] === 0xff) end -= 1;
  return data.subarray(0, end);
}

/** @param {Uint8Array} file @param {Segment[]} segments */
function orientationOf(file, segments) {
  const extras = segments.filter(({ marker }) => marker === APP1).map(({ start, end }) => file.subarray(start + 4, end));
  const exif = extras.find((data) => text(data, 0, 6) === "Exif\0\0");
  const xmp = extras.find((data) => text(data, 0, 28) === "http://ns.adobe.com/xap/1.0/");
  return (exif && exifOrientation(exif.subarray(6))) ?? (xmp && xmpOrientation(text(xmp))) ?? 1;
}
