/** The page of results: what a folder has, and how far a training is. */

import { ServerGone, call, forgetToken, hasToken, isAlive, onTokenNeeded, server } from "./api.js";
import { curves } from "./curves.js";
import { announce, button, byId, fillSelect, make } from "./dom.js";
import { askForToken } from "./place.js";
import { drawReport } from "./report.js";
import { bindTheme } from "./theme.js";
import { time } from "./words.js";

/**
 * @typedef {{path: string, kind: string, modified: string, has_page: boolean, facts: [string, string][]}} Item
 * @typedef {{path: string, finished: boolean, epochs: number | null, modified: string,
 *     seconds_left: number | null, history: import("./curves.js").Epoch[]}} Run
 */

const SECONDS_BETWEEN_LOOKS = 5;
/** After so many times an epoch's duration without another one, nobody seems to train. */
const PATIENCE = 5;
/** @type {Item[]} */
let items = [];
let chosen = "";
/** Whether the folder can be looked at again by itself. */
let isServed = true;
/** What of the chosen result is drawn, so that a look without news changes nothing. */
let drawn = "";

/** @param {Item} item */
const keyOf = ({ kind, path }) => `${kind} ${path}`;
/** @param {Item} item */
const nameOf = ({ path }) => path || "the folder itself";

/** Asks what the folder has now. */
async function look() {
  const empty = byId("list-empty", HTMLElement);
  isServed = true;
  try {
    const found = await (await call("/v1/results")).json();
    items = found.results;
    byId("incomplete", HTMLElement).hidden = found.complete;
    empty.hidden = items.length > 0;
    empty.textContent = "There is no result in this folder yet.";
    drawList();
    await drawChosen();
  } catch (error) {
    isServed = error instanceof ServerGone;
    const code = /** @type {{status?: number}} */ (error).status;
    empty.hidden = false;
    if (code === 404) empty.textContent = "The server shows no folder of results: start it with --results.";
    else empty.replaceChildren(String(error instanceof Error ? error.message : error), " ", button("Try again", look));
  }
  byId("forget", HTMLElement).hidden = !hasToken();
}

function drawList() {
  const kind = byId("kind", HTMLSelectElement);
  const kinds = [...new Set(items.map((each) => each.kind))].sort();
  fillSelect(kind, [{ value: "", text: "all" }, ...kinds.map((value) => ({ value, text: value }))], kind.value);
  const shown = items.filter((item) => !kind.value || item.kind === kind.value);
  const list = byId("list", HTMLOListElement);
  const state = JSON.stringify([shown, chosen]);
  if (list.dataset.state === state) return;
  list.dataset.state = state;
  const focused = document.activeElement?.closest("li")?.id;
  list.replaceChildren(...shown.map(listItem));
  if (focused) document.getElementById(focused)?.querySelector("button")?.focus();
}

/** @param {Item} item */
function listItem(item) {
  const open = button("", () => choose(item), { class: "open" });
  if (keyOf(item) === chosen) open.setAttribute("aria-current", "true");
  const first = item.facts.find(([name]) => name === "Balanced accuracy" || name === "Result");
  open.append(
    make("span", { class: "path" }, nameOf(item)),
    make("span", { class: "second" }, make("span", {}, item.kind), make("span", { class: "when" }, time(item.modified))),
  );
  if (first) open.append(make("span", { class: "reason" }, first.join(": ")));
  return make("li", { class: "item", id: `result ${keyOf(item)}` }, open);
}

/** @param {Item} item */
function choose(item) {
  chosen = keyOf(item);
  drawn = "";
  location.hash = encodeURIComponent(chosen);
  drawList();
  void drawChosen();
  if (matchMedia("(max-width: 720px)").matches) byId("shown", HTMLElement).scrollIntoView();
}

async function drawChosen() {
  const item = items.find((each) => keyOf(each) === chosen);
  if (!item) return;
  const root = byId("shown", HTMLElement);
  const state = `${chosen} ${item.modified}`;
  if (item.kind !== "run" && drawn === state) return;
  try {
    const query = new URLSearchParams({ path: item.path });
    if (item.kind === "run") {
      const run = await (await call(`/v1/results/run?${query}`)).json();
      if (chosen === keyOf(item)) drawRun(root, item, run);
      return;
    }
    drawn = state;
    root.replaceChildren(title(item), facts(item.facts));
    if (!item.has_page) return;
    query.set("kind", item.kind);
    const text = await (await call(`/v1/results/page?${query}`)).text();
    if (chosen !== keyOf(item)) return;
    const host = make("div", { class: "report", role: "region", "aria-label": `Report of ${nameOf(item)}`, tabindex: "0" });
    drawReport(host, text);
    root.append(host);
  } catch (error) {
    drawn = "";
    root.replaceChildren(title(item), make("p", { class: "problem" }, String(error instanceof Error ? error.message : error)));
  }
}

/** @param {HTMLElement} root @param {Item} item @param {Run} run */
function drawRun(root, item, run) {
  const { history, epochs, finished } = run;
  const state = `${chosen} ${history.length} ${finished} ${says(run)}`;
  if (drawn === state) return;
  const isNews = drawn.startsWith(`${chosen} `) && !drawn.startsWith(`${chosen} ${history.length} `);
  drawn = state;
  const bar = make("progress", { "aria-label": "Epochs that are done" });
  bar.max = epochs ?? Math.max(1, history.length);
  bar.value = finished ? bar.max : history.length;
  const isOpen = root.querySelector("details")?.open ?? false;
  const table = make("details", {}, make("summary", {}, "All epochs"), make("div", { class: "scroll" }, rows(history)));
  table.open = isOpen;
  root.replaceChildren(
    title(item),
    make("div", { class: "run" }, bar, make("p", { id: "run-says" }, says(run))),
    curves(history, Math.max(epochs ?? 1, history.length)),
    make("div", { class: "run" }, table),
  );
  if (isNews) announce(says(run));
}

/** How far a training is, as a sentence. @param {Run} run */
function says({ history, epochs, finished, modified, seconds_left: left }) {
  const of = epochs === null ? "" : ` of at most ${epochs}`;
  const done = `${history.length}${of} epochs are done`;
  if (finished) return `The training is finished. ${done}.`;
  const mean = history.length ? history[history.length - 1].seconds : 60;
  const silent = (Date.now() - new Date(modified).getTime()) / 1000;
  if (silent > PATIENCE * mean + 60) return `${done}. The last one ended at ${time(modified)}, so the training seems to have stopped.`;
  return `${done}. ${left === null ? "The time that is left is not known." : `At most ${duration(left)} left.`}`;
}

/** @param {number} seconds */
function duration(seconds) {
  if (seconds < 90) return `${Math.ceil(seconds)} seconds`;
  if (seconds < 5400) return `${Math.ceil(seconds / 60)} minutes`;
  return `${(seconds / 3600).toFixed(1)} hours`;
}

/** @param {import("./curves.js").Epoch[]} history */
function rows(history) {
  const names = ["Epoch", "Stage", "Learning rate", "Training loss", "Validation loss", "Validation accuracy, balanced", "Seconds"];
  const head = make("thead", {}, make("tr", {}, ...names.map((name) => make("th", { scope: "col" }, name))));
  const lines = history.map((each) => {
    const cells = [
      String(each.epoch), String(each.stage), each.lr.toPrecision(3), each.train_loss.toFixed(4),
      each.val_loss.toFixed(4), each.val_balanced_accuracy.toFixed(3), each.seconds.toFixed(1),
    ];
    return make("tr", {}, ...cells.map((text) => make("td", {}, text)));
  });
  return make("table", {}, head, make("tbody", {}, ...lines));
}

/** @param {Item} item */
const title = (item) => make("h2", {}, `${nameOf(item)} (${item.kind})`);

/** @param {[string, string][]} pairs */
function facts(pairs) {
  return make("dl", {}, ...pairs.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]));
}

function drawState() {
  const line = byId("state", HTMLElement);
  line.hidden = server.state === "up";
  line.textContent = server.state === "gone"
    ? "The server does not answer. What you see may be out of date. It is asked again by itself."
    : "The server is busy or stops. What you asked for is asked again by itself.";
}

bindTheme();
onTokenNeeded(askForToken);
server.addEventListener("change", drawState);
byId("kind", HTMLSelectElement).addEventListener("change", drawList);
byId("forget", HTMLButtonElement).addEventListener("click", () => {
  forgetToken();
  location.reload();
});
chosen = decodeURIComponent(location.hash.slice(1));
void look();
setInterval(async () => {
  if (!isServed || document.hidden || document.querySelector("dialog[open]") ) return;
  if (server.state !== "gone" || (await isAlive())) void look();
}, 1000 * SECONDS_BETWEEN_LOOKS);
