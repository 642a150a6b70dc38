/** The result of the chosen image, in words and numbers. */

import { button, byId, make } from "./dom.js";
import { SAYS, imageButtons, keptRows } from "./place.js";
import { band, either, factRows, meaning, number, predictionSet, time } from "./words.js";

/** @typedef {import("./entries.js").Entry} Entry */
/** @typedef {import("./types.js").Model} Model */
/** @typedef {import("./types.js").Prediction} Prediction */
/**
 * @typedef {object} Actions
 * @property {(path: string, name: string) => void} save what the API gives, as a file
 * @property {(entry: Entry) => void} json
 * @property {(entry: Entry) => void} remove
 * @property {() => void} card
 */

/**
 * Shows an entry, or that none is chosen.
 *
 * @param {Entry | null} entry
 * @param {Model | undefined} model the model that gave its result, if the server has it
 * @param {Actions} actions
 */
export function drawDetail(entry, model, actions) {
  const root = byId("detail", HTMLElement);
  if (!entry) {
    root.replaceChildren(make("p", { class: "quiet" }, "The result of an image is shown here."));
    return;
  }
  const title = make("h2", {}, entry.name);
  const { prediction } = entry;
  if (!prediction) {
    const text = entry.problem ?? SAYS.pending;
    root.replaceChildren(title, make("p", { class: entry.problem ? "problem" : "quiet" }, text));
    return;
  }
  const parts = prediction.status === "done" ? result(prediction, model) : noResult(entry, prediction);
  root.replaceChildren(
    title,
    ...parts,
    ...notes(prediction),
    buttons(entry, prediction, actions),
    facts(prediction),
    origin(prediction, model, actions),
  );
}

/** @param {Prediction} prediction @param {Model | undefined} model */
function result(prediction, model) {
  const kind = prediction.positive ? "positive" : "negative";
  const answer = make(
    "p", { class: "answer" },
    make("span", { class: `word ${kind}` }, `${kind} for ${either(prediction.positive_classes)}`),
    prediction.band === "uncertain" && make("span", { class: "word uncertain" }, ", uncertain"),
  );
  const rows = [
    ["Most probable class", prediction.decision],
    ["Band", band(prediction, model)],
    ["Prediction set", predictionSet(prediction, model)],
  ];
  return [
    answer,
    make("p", { id: "meaning" }, meaning(prediction, model)),
    make("section", {}, make("h3", {}, "Calibrated probabilities"), shares(prediction)),
    terms(rows),
  ];
}

/** @param {Entry} entry @param {Prediction} prediction */
function noResult(entry, prediction) {
  const word = prediction.status === "refused" ? "refused" : "cannot be read";
  const what =
    prediction.status === "refused"
      ? "The image can be read, but the model gives no result for it."
      : "There is no result.";
  return [
    make("p", { class: "answer" }, make("span", { class: `word ${entry.outcome.kind}` }, word)),
    make("p", { class: "problem" }, `${prediction.reason} ${what}`),
  ];
}

/** @param {Prediction} prediction */
function shares(prediction) {
  const table = make("table", { class: "shares" });
  const found = Object.entries(prediction.probabilities ?? {});
  const isAlone = prediction.positive_classes.length === 1;
  for (const [label, share] of found) {
    const fill = make("i");
    fill.style.width = `${100 * share}%`;
    const meter = make("span", { class: "meter", "aria-hidden": "true" }, fill);
    if (isAlone && prediction.positive_classes[0] === label) {
      const mark = make("b", { title: `threshold ${number(prediction.threshold)}` });
      mark.style.left = `${100 * prediction.threshold}%`;
      meter.append(mark);
    }
    table.append(
      make("tr", { class: label === prediction.decision ? "top-class" : "" },
        make("th", { scope: "row" }, label),
        make("td", {}, meter),
        make("td", { class: "number" }, number(share))),
    );
  }
  return table;
}

/** @param {Prediction} prediction */
function notes({ notes: texts }) {
  if (!texts.length) return [];
  const list = make("ul", { class: "notes" }, ...texts.map((text) => make("li", {}, text)));
  return [make("section", {}, make("h3", {}, "What you must know"), list)];
}

/** @param {Entry} entry @param {Prediction} prediction @param {Actions} actions */
function buttons(entry, prediction, actions) {
  const row = make("div", { class: "row" });
  if (prediction.status === "done" && entry.hasImage) {
    row.append(...imageButtons(prediction, actions.save));
  }
  row.append(button("JSON", () => actions.json(entry), { "aria-label": "Save this result as JSON" }));
  row.append(button("Delete", () => actions.remove(entry), { class: "danger", "aria-keyshortcuts": "Delete" }));
  return row;
}

/** @param {Prediction} prediction */
function facts({ facts: known }) {
  const what = known ? terms(factRows(known)) : make("p", {}, "The file could not be read.");
  return make("section", {}, make("h3", {}, "What the file says"), what);
}

/** @param {Prediction} prediction @param {Model | undefined} model @param {Actions} actions */
function origin(prediction, model, actions) {
  const missing = model ? null : SAYS.modelGone;
  return make(
    "section", {},
    make("h3", {}, "Where it comes from"),
    terms([
      ["Model", `${prediction.model.name}, ${time(prediction.model.version)}`],
      ["", missing],
      ["Asked", time(prediction.created)],
      ...keptRows(prediction),
    ]),
    make("div", { class: "row" }, model ? button("Card of this model", actions.card) : null),
    make("p", { class: "quiet" }, "SHA-256 of the image ", make("span", { class: "hash" }, prediction.sha256)),
  );
}

/** @param {(string | null)[][]} rows */
function terms(rows) {
  const list = make("dl");
  for (const [term, text] of rows) {
    if (text) list.append(make("dt", {}, term), make("dd", {}, text));
  }
  return list;
}
