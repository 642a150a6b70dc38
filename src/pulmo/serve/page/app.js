/** The page: it binds the list, the viewer and the result to the API. */

import { ApiError, call, isAlive, server } from "./api.js";
import { drawDetail } from "./detail.js";
import { askToDelete, bindDialogs, showCard } from "./dialogs.js";
import { announce, button, byId, fillSelect, saveFile } from "./dom.js";
import { Entries, Entry } from "./entries.js";
import { dropped, fullName, sorted } from "./files.js";
import { bindArrows, bindKeys } from "./keys.js";
import { forget } from "./layers.js";
import { List } from "./list.js";
import { SAYS, bindPlace, drawPlace } from "./place.js";
import { Queue } from "./queue.js";
import { shortcuts } from "./shortcuts.js";
import { bindTheme } from "./theme.js";
import { Viewer } from "./viewer.js";
import { counted, number } from "./words.js";

/** @typedef {import("./types.js").Model} Model */
/** @typedef {import("./types.js").Prediction} Prediction */

const SECONDS_UNTIL_ASKED_AGAIN = 5;
const modelChoice = byId("model", HTMLSelectElement);
/** @type {Model[]} */
let models = [];
/** @type {number | null} */
let cursor = null;

const entries = new Entries();
const queue = new Queue(entries, () => modelChoice.value);
const list = new List(entries, queue);
const viewer = new Viewer(modelOf, (entry) => entry.file && add([entry.file]));

/** @param {Entry} entry */
function modelOf({ prediction }) {
  return models.find(({ id }) => id === prediction?.model.id);
}

/** Asks for the models and the results that there are. */
async function load() {
  const empty = byId("list-empty", HTMLElement);
  try {
    models = (await (await call("/v1/models")).json()).models;
    fillSelect(modelChoice, models.map(({ id, name }) => ({ value: id, text: name })), modelChoice.value);
    const isAble = models.length > 0;
    for (const id of ["choose-files", "choose-folder", "model", "show-card"]) {
      byId(id, HTMLElement).toggleAttribute("disabled", !isAble);
    }
    if (!isAble) byId("drop-text", HTMLElement).textContent = SAYS.noModel;
    await loadEarlier();
    empty.textContent = "There is no result yet.";
  } catch (error) {
    empty.textContent = `${error instanceof Error ? error.message : error} `;
    empty.append(button("Try again", load));
  }
  drawPlace();
  drawProgress();
}

/** Adds the next results of the server to the list. */
async function loadEarlier() {
  const before = cursor === null ? "" : `&before=${cursor}`;
  const page = await (await call(`/v1/predictions?limit=50${before}`)).json();
  cursor = page.next;
  entries.addEarlier(page.predictions);
  byId("more", HTMLElement).hidden = cursor === null;
}

/** Sends files, and says which are left out. @param {File[]} files */
function add(files) {
  const { images, others } = sorted(files);
  const leftOut = byId("left-out", HTMLElement);
  const names = others.slice(0, 3).map(({ name }) => name).join(", ") + (others.length > 3 ? " ..." : "");
  leftOut.hidden = !others.length;
  leftOut.textContent = others.length ? `${counted(others.length, "file")} left out, not images by name: ${names}` : "";
  if (!images.length || !models.length) return;
  const batch = images.map((file) => new Entry(fullName(file), file, null));
  entries.add(batch);
  entries.choose(batch[0]);
  queue.send(batch);
}

/** What the progress line and the voice said last. */
let said = 0;

function drawProgress() {
  const isBusy = queue.running.size + queue.waiting.length > 0;
  byId("progress", HTMLElement).hidden = !isBusy;
  byId("progress-bar", HTMLProgressElement).value = queue.total ? queue.finished / queue.total : 0;
  byId("progress-text", HTMLElement).textContent = `${queue.finished} of ${counted(queue.total, "image")} done`;
  byId("list-tools", HTMLElement).hidden = entries.all.length < 2;
  byId("list-empty", HTMLElement).hidden = entries.all.length > 0;
  if (isBusy && queue.total > 1 && queue.finished >= said + Math.ceil(queue.total / 4)) {
    said = queue.finished;
    announce(`${queue.finished} of ${counted(queue.total, "image")} done.`);
  }
  if (!isBusy) said = 0;
}

/** @param {Entry} entry */
function tell(entry) {
  const { prediction, outcome } = entry;
  if (entry.isOpen || queue.total > 1) return;
  const share = prediction?.positive_probability ?? null;
  const reason = entry.problem ?? prediction?.reason;
  const how = share === null ? "" : `, probability ${number(share)}`;
  announce(`${entry.name}: ${outcome.word}${how}. ${reason ?? ""}`);
}

const actions = {
  save,
  /** @param {Entry} entry */
  json(entry) {
    const text = JSON.stringify(entry.prediction, null, 2);
    saveFile(new Blob([text], { type: "application/json" }), `${entry.prediction?.id}.json`);
  },
  /** @param {Entry} entry */
  async remove(entry) {
    if (!entry.prediction || !(await askToDelete())) return;
    try {
      await call(`/v1/predictions/${entry.prediction.id}`, { method: "DELETE" });
    } catch (error) {
      // What somebody else has deleted is deleted.
      if (!(error instanceof ApiError && error.status === 404)) return problem(error);
    }
    forget(entry.prediction.id);
    entries.remove(entry);
    announce("The result is deleted.");
  },
  card() {
    const chosen = entries.chosen && modelOf(entries.chosen);
    void showCard(chosen ? chosen.id : modelChoice.value);
  },
};

/** @param {string} path @param {string} name */
async function save(path, name) {
  try {
    saveFile(await (await call(path)).blob(), name);
    announce(`${name} is saved.`);
  } catch (error) {
    problem(error);
  }
}

/** Shows what went wrong. @param {unknown} error */
function problem(error) {
  const line = byId("state", HTMLElement);
  line.hidden = false;
  line.className = "state";
  line.replaceChildren(String(error instanceof Error ? error.message : error));
  line.append(button("Close", () => (line.hidden = true)));
}

const STATES = new Map([
  ["busy", "The server is busy. What you asked for waits and is asked again by itself."],
  ["stopping", "The server stops or is locked. What you asked for waits and is asked again by itself."],
  ["gone", "The server does not answer. Results that you see may be out of date. It is asked again by itself."],
]);
/** @type {number | undefined} */
let timer;

function drawState() {
  const line = byId("state", HTMLElement);
  const text = STATES.get(server.state);
  line.hidden = !text;
  line.className = server.state === "gone" ? "state" : "state mild";
  line.textContent = text ?? "";
  clearInterval(timer);
  if (server.state === "gone") timer = setInterval(isAlive, 1000 * SECONDS_UNTIL_ASKED_AGAIN);
  else if (!text && !models.length) void load();
  else if (!text && viewer.isCutOff) void viewer.show(entries.chosen);
}

function drawChosen() {
  const { chosen } = entries;
  drawDetail(chosen, chosen ? modelOf(chosen) : undefined, actions);
}

function bindFiles() {
  const pickers = { "choose-files": "files", "choose-folder": "folder" };
  for (const [opener, picker] of Object.entries(pickers)) {
    const input = byId(picker, HTMLInputElement);
    byId(opener, HTMLButtonElement).addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      add([...(input.files ?? [])]);
      input.value = "";
    });
  }
  const cover = byId("drop-cover", HTMLElement);
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    cover.hidden = !models.length;
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) cover.hidden = true;
  });
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    cover.hidden = true;
    if (event.dataTransfer) add(await dropped(event.dataTransfer));
  });
}

function bindList() {
  entries.addEventListener("change", () => {
    drawProgress();
    viewer.offer(entries.all);
  });
  entries.addEventListener("entry", (event) => {
    const { detail } = /** @type {CustomEvent<Entry>} */ (event);
    tell(detail);
    if (detail !== entries.chosen || detail.isOpen) return;
    drawChosen();
    void viewer.show(detail);
  });
  entries.addEventListener("choose", () => {
    drawChosen();
    void viewer.show(entries.chosen);
    viewer.offer(entries.all);
  });
  viewer.earlier.addEventListener("change", () => {
    const found = entries.all.find(({ key }) => key === viewer.earlier.value);
    void viewer.compare(found ?? null);
  });
  byId("cancel-all", HTMLButtonElement).addEventListener("click", () => queue.cancelAll());
  byId("more", HTMLButtonElement).addEventListener("click", () => loadEarlier().catch(problem));
}

function bindTop() {
  byId("show-card", HTMLButtonElement).addEventListener("click", () => void showCard(modelChoice.value));
  byId("show-help", HTMLButtonElement).addEventListener("click", () => byId("help-dialog", HTMLDialogElement).showModal());
}

server.addEventListener("change", drawState);
bindDialogs();
bindFiles();
bindTheme();
bindList();
bindTop();
bindPlace(save, add);
bindKeys(shortcuts({ entries, list, viewer, actions }));
bindArrows(viewer.panes);
drawChosen();
void load();
