/** What the page says of an image, as the server says it (pulmo.serve.answers). */

/** @typedef {import("./contents.js").Contents} Contents */
/** @typedef {import("./raster.js").Radiograph} Radiograph */
/** @typedef {import("./types.js").Facts} Facts */
/** @typedef {import("./types.js").Prediction} Prediction */

/** @param {Contents} contents @param {string} hash @returns {Prediction} */
export function emptyPrediction({ summary, weights_sha256 }, hash) {
  const { id, name, version, sha256: model, notice, positive_classes, threshold } = summary;
  return {
    id: crypto.randomUUID().replaceAll("-", ""),
    created: new Date().toISOString(),
    status: "failed",
    reason: null,
    code: null,
    sha256: hash,
    notes: [],
    note_kinds: [],
    probabilities: null,
    decision: null,
    positive_classes,
    positive_probability: null,
    threshold,
    positive: null,
    band: null,
    prediction_set: null,
    facts: null,
    model: { id, name, version, sha256: model, weights_sha256 },
    image_until: null,
    notice,
  };
}

/** What a PNG or JPEG file says. @param {Radiograph} radiograph @returns {Facts} */
export function factsOf({ form, bits, image: { height, width } }) {
  const unknown = { view: null, modality: null, body_part: null, intent: null, patient_right: null, spacing: null };
  return { format: form, bits, height, width, ...unknown };
}

/**
 * Turns probabilities into a result, as pulmo.predictions.decision_rule does.
 *
 * @param {Contents} contents
 * @param {import("./model.js").Outcome} outcome
 * @returns {Partial<Prediction>}
 */
export function resultOf({ summary, sets }, { probabilities, notes }) {
  const { classes, positive_classes, threshold, bands } = summary;
  const score = positive_classes.reduce((sum, label) => sum + probabilities[classes.indexOf(label)], 0);
  const band = score < (bands?.low ?? 0) ? "negative" : score < (bands?.high ?? 0) ? "uncertain" : "positive";
  return {
    status: "done",
    notes: notes.map(({ text }) => text),
    note_kinds: notes.map(({ kind }) => kind),
    probabilities: Object.fromEntries(classes.map((label, at) => [label, probabilities[at]])),
    decision: classes[probabilities.indexOf(Math.max(...probabilities))],
    positive_probability: score,
    positive: score >= threshold,
    band: bands ? band : null,
    prediction_set: sets < 0 ? null : classes.filter((_, at) => probabilities[at] >= sets),
  };
}
