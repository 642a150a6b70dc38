/** Sentences and numbers for people. */

/** @typedef {import("./types.js").Estimate} Estimate */
/** @typedef {import("./types.js").Facts} Facts */
/** @typedef {import("./types.js").Model} Model */
/** @typedef {import("./types.js").Prediction} Prediction */

/** @param {number} value */
export const number = (value) => value.toFixed(3);

/** @param {string[]} labels */
export const either = (labels) => labels.join(" or ");

/** @param {number} count @param {string} noun */
export const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** @param {string} text a time in ISO 8601 */
export function time(text) {
  const moment = new Date(text);
  const isToday = moment.toDateString() === new Date().toDateString();
  return isToday
    ? moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })
    : moment.toLocaleString([], { dateStyle: "short", timeStyle: "short", hourCycle: "h23" });
}

/** @param {Estimate} estimate */
function interval({ value, low, high, n }) {
  if (value === null) return null;
  const known = low === null || high === null ? "" : ` (95 % interval ${number(low)} to ${number(high)})`;
  return `${number(value)}${known} of ${counted(n, "image")}`;
}

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/**
 * Says what a result means: its probability, the threshold, and how often the model is right there.
 *
 * @param {Prediction} prediction
 * @param {Model | undefined} model the model that gave it, if the server has it
 * @returns {string}
 */
export function meaning(prediction, model) {
  const { positive_probability: probability, positive_classes: classes, threshold } = prediction;
  if (probability === null) return "";
  const side = prediction.positive ? "at least" : "below";
  const first =
    `The model's calibrated probability of ${either(classes)} is ${number(probability)}, ${side} its ` +
    `threshold ${number(threshold)}, so the result is ${prediction.positive ? "positive" : "negative"}.`;
  return [first, reliability(model)].filter(Boolean).join(" ");
}

/** @param {Model | undefined} model */
function reliability(model) {
  if (!model) return "";
  const sensitivity = model.sensitivity && interval(model.sensitivity);
  const specificity = model.specificity && interval(model.specificity);
  const classes = either(model.positive_classes);
  if (sensitivity && specificity) {
    return (
      `With this threshold the model called positive ${sensitivity} with ${classes} (sensitivity), and ` +
      `negative ${specificity} without (specificity), all of them from its validation.`
    );
  }
  return `${capital(model.positive_sentence.replace(/^positive: /, "positive means: "))}`;
}

/** @param {Prediction} prediction @param {Model | undefined} model @returns {string | null} */
export function band(prediction, model) {
  if (prediction.band === null) return null;
  const limits = model?.bands;
  if (!limits) return prediction.band;
  const between = `${number(limits.low)} and ${number(limits.high)}`;
  return `${prediction.band}; between ${between} a result is uncertain`;
}

/** @param {Prediction} prediction @param {Model | undefined} model @returns {string | null} */
export function predictionSet({ prediction_set: set }, model) {
  if (set === null) return null;
  const share = model?.sets_coverage;
  const covers = share ? `; it is made to hold the right class of ${Math.round(100 * share)} % of images` : "";
  return (set.length ? set.join(", ") : "empty: no class is probable enough") + covers;
}

/** What the file says of its image. @param {Facts} facts @returns {[string, string][]} */
export function factRows(facts) {
  const unknown = "not stated";
  return [
    ["File", `${facts.format}, ${facts.bits} bits, ${facts.width} x ${facts.height} pixels`],
    ["View", facts.view ?? unknown],
    ["Modality", facts.modality ?? unknown],
    ["Body part", facts.body_part ?? unknown],
    ...(facts.intent ? [/** @type {[string, string]} */ (["Intent", facts.intent])] : []),
    ["Patient's right", facts.patient_right ? `at the ${facts.patient_right} edge` : unknown],
    ["Pixel spacing", facts.spacing ? `${facts.spacing.map((each) => each.toFixed(3)).join(" x ")} mm` : unknown],
  ];
}
