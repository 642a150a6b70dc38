/** What the viewer shows of a result: the pixels, heat maps, lungs and boxes (pulmo.serve.views). */

import { clip, made, rint } from "./numbers.js";
import { onImage } from "./geometry.js";
import { both } from "./lungs.js";
import { outlines } from "./outlines.js";
import { connected } from "./parts.js";
import { nearest, resized } from "./resample.js";

/** @typedef {import("./contents.js").Contents} Contents */
/** @typedef {import("./model.js").Outcome} Outcome */
/** @typedef {import("./resample.js").Plane} Plane */
/** @typedef {{contents: Contents, image: Plane, outcome: Outcome}} Shown An image with its result. */

/**
 * Returns an image as 16-bit values.
 *
 * @param {Plane} image
 * @param {number} side most pixels of the longer side
 */
export function pixels(image, side) {
  const factor = Math.min(1, side / Math.max(image.height, image.width));
  const [height, width] = [image.height, image.width].map((length) => Math.max(1, rint(factor * length)));
  const { values } = factor < 1 ? resized(image, height, width, "box") : image;
  return { values: made(new Uint16Array(values.length), (at) => rint(Math.fround(values[at] * 65535))), height, width };
}

/** The map of a class. @param {Shown} shown @param {string} label */
function mapOf({ contents, outcome }, label) {
  return outcome.maps[contents.summary.classes.indexOf(label)];
}

/** @param {Plane} image @returns {[number, number]} */
const shapeOf = ({ height, width }) => [height, width];

/**
 * Draws the evidence for a class as a layer over the image; what the network did not see is hatched.
 *
 * @param {Shown} shown
 * @param {string} label
 */
export function heatMap(shown, label) {
  const { paint, activation } = shown.contents;
  const { values, height, width } = onImage(mapOf(shown, label), shapeOf(shown.image), shown.outcome.box, paint.side, true);
  const drawn = new ImageData(width, height);
  values.forEach((value, at) => {
    const isLine = (Math.floor(at / width) + (at % width)) % 14 < 2;
    const colour = Number.isNaN(value)
      ? isLine ? [paint.stripe, paint.stripe, paint.stripe, 255] : [0, 0, 0, 128]
      : paint.table[rint(clip(value / activation.scale, 0, 1) * (paint.table.length - 1))];
    drawn.data.set(colour, 4 * at);
  });
  return drawn;
}

/** The map of a class on a small image, and the lungs there if they are found. @param {Shown} shown @param {string} label */
function small(shown, label) {
  const { outcome, image, contents } = shown;
  const evidence = onImage(mapOf(shown, label), shapeOf(image), outcome.box, contents.small, false);
  if (outcome.lungs.reason !== null) return { evidence, within: null };
  return { evidence, within: nearest(both(outcome.lungs).values, shapeOf(image), shapeOf(evidence)) };
}

/** @param {Shown} shown @param {string} label @returns {import("./types.js").Explanation} */
export function explanation(shown, label) {
  const { contents, outcome } = shown;
  const { method, title, unit, caption, colours } = contents.explanation;
  const { evidence, within } = small(shown, label);
  let [inside, total] = [0, 0];
  evidence.values.forEach((value, at) => {
    if (!(value > 0)) return;
    total += value;
    inside += within?.[at] ? value : 0;
  });
  const shares = contents.summary.classes.map((name, at) => `${name} ${outcome.probabilities[at].toFixed(3)}`);
  return {
    label, method, title, unit, colours,
    scale: contents.activation.scale,
    fixed_scale: true,
    share_in_lungs: within && total > 0 ? inside / total : null,
    caption: `${shares.join(", ")}. ${caption}`,
  };
}

/** @param {Shown} shown @returns {import("./types.js").Lungs} */
export function lungs({ contents, image, outcome }) {
  const { right, left, reason } = outcome.lungs;
  const sided = Object.entries({ right, left });
  return {
    found: reason === null,
    reason,
    width: image.width,
    height: image.height,
    outlines: sided.flatMap(([side, mask]) => outlines(mask).map((points) => ({ side, points }))),
    notes: [contents.lungs.sides.text],
  };
}

/** Boxes about the parts whose evidence is high enough (pulmo.decide.detections). @param {Shown} shown @param {string} label @returns {import("./types.js").Boxes} */
export function boxes(shown, label) {
  const { unit } = shown.contents.explanation;
  const rule = shown.contents.activation.detections[label];
  if (!rule) return { label, unit, available: false, boxes: [] };
  const { evidence, within } = small(shown, label);
  const { values, height, width } = evidence;
  const isHeld = (/** @type {number} */ value, /** @type {number} */ at) =>
    value >= Math.fround(rule.outline) && value > 0 && (within === null || within[at] === 1);
  const { labels, parts } = connected({ values: Uint8Array.from(values, (value, at) => (isHeld(value, at) ? 1 : 0)), height, width });
  const scores = new Float32Array(parts.length).fill(-Infinity);
  labels.forEach((part, at) => {
    if (part) scores[part - 1] = Math.max(scores[part - 1], values[at]);
  });
  const found = parts
    .map((part) => ({ part, score: scores[part.label - 1] }))
    .filter(({ part, score }) => part.area >= shown.contents.least * values.length && score >= rule.least)
    .map(({ part, score }) => ({
      left: part.left / width,
      top: part.top / height,
      width: (part.right + 1 - part.left) / width,
      height: (part.bottom + 1 - part.top) / height,
      score,
    }));
  return { label, unit, available: true, boxes: found.sort((a, b) => b.score - a.score) };
}
