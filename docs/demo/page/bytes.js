/** Numbers and text in the bytes of a file. */

/** A big-endian number. @param {Uint8Array} bytes @param {number} at */
export const short = (bytes, at) => (bytes[at] << 8) | bytes[at + 1];

/** A big-endian number. @param {Uint8Array} bytes @param {number} at */
export const long = (bytes, at) => ((bytes[at] << 24) | (bytes[at + 1] << 16) | short(bytes, at + 2)) >>> 0;

/**
 * Bytes as letters, one each; what a browser calls latin1 is another table.
 *
 * @param {Uint8Array} bytes
 * @param {number} [from]
 * @param {number} [to]
 */
export const text = (bytes, from = 0, to = bytes.length) =>
  Array.from(bytes.subarray(from, to), (byte) => String.fromCharCode(byte)).join("");

/** @param {Uint8Array[]} pieces */
export function joined(pieces) {
  const found = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    found.set(piece, at);
    at += piece.length;
  }
  return found;
}

/**
 * Returns the orientation that a block of EXIF states (EXIF 2.32, tag 274); null if it states none.
 *
 * @param {Uint8Array} exif from its byte order on
 * @returns {number | null}
 */
export function exifOrientation(exif) {
  if (exif.length < 14) return null;
  const isLittle = text(exif, 0, 2) === "II";
  const view = new DataView(exif.buffer, exif.byteOffset, exif.length);
  const first = view.getUint32(4, isLittle);
  if (first + 2 > exif.length) return null;
  const count = view.getUint16(first, isLittle);
  for (let entry = first + 2; entry + 12 <= exif.length && entry < first + 2 + 12 * count; entry += 12) {
    if (view.getUint16(entry, isLittle) === 274) return view.getUint16(entry + 8, isLittle);
  }
  return null;
}

/** The orientation that a packet of XMP states; null if it states none. @param {string} packet */
export function xmpOrientation(packet) {
  const found = /tiff:Orientation(?:="|>)([0-9])/.exec(packet);
  return found ? Number(found[1]) : null;
}
