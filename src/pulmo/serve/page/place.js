/**
 * The place where images are classified: what people call it, and what it alone can do. Here it is a
 * server, with tokens, exports and reports. A page that does without has another module of this name.
 */

import { ApiError, forgetToken, hasToken, onTokenNeeded } from "./api.js";
import { asked } from "./dialogs.js";
import { button, byId } from "./dom.js";
import { time } from "./words.js";

/** @typedef {import("./types.js").Prediction} Prediction */

export const SAYS = {
  noModel: "The server has no model, so it cannot classify images.",
  modelGone: "The server does not have this model now.",
  pending: "The server has not answered yet.",
  unsent: "not sent",
  again: "Send again",
  failed: "It could not be sent",
  // The server answers other calls, so the reason is this file.
  fileFailed: "It could not be sent. The file may have moved, or be larger than the server takes.",
  expired: "The server does not keep this image any more. Its result is still there. Send the file again to see it.",
};

/**
 * Binds the token and the exports.
 *
 * @param {(path: string, name: string) => void} save
 * @param {(files: File[]) => void} _add of a place that has images of its own
 */
export function bindPlace(save, _add) {
  onTokenNeeded(askForToken);
  for (const form of ["csv", "json"]) {
    byId(`export-${form}`, HTMLButtonElement).addEventListener("click", () =>
      save(`/v1/predictions/export?format=${form}`, `predictions.${form}`),
    );
  }
  byId("forget", HTMLButtonElement).addEventListener("click", () => {
    forgetToken();
    location.reload();
  });
}

/** Shows what depends on whether a token is known. */
export function drawPlace() {
  byId("forget", HTMLElement).hidden = !hasToken();
}

/**
 * Buttons for an image that has a result and can be looked at.
 *
 * @param {Prediction} prediction
 * @param {(path: string, name: string) => void} save
 */
export function imageButtons({ id }, save) {
  const report = () => save(`/v1/predictions/${id}/report.pdf`, `${id}.pdf`);
  return [button("Report (PDF)", report, { id: "report", "aria-keyshortcuts": "p" })];
}

/** @type {import("./keys.js").Shortcut[]} */
export const placeKeys = [
  { keys: ["p"], shown: "P", says: "Save the report of the image", does: () => document.getElementById("report")?.click() },
];

/** Whether the server still has the image of a result. @param {Prediction} prediction */
export function isKept({ image_until: until }) {
  return until !== null && new Date(until) > new Date();
}

/** What is said of how long an image is kept. @param {Prediction} prediction @returns {[string, string][]} */
export function keptRows({ image_until: until }) {
  return [["Image kept until", until ? time(until) : "not kept any more"]];
}

/** Asks the user for a token. @param {boolean} wasWrong whether one was refused @returns {Promise<string>} */
export async function askForToken(wasWrong) {
  const input = byId("token", HTMLInputElement);
  const problem = byId("token-problem", HTMLElement);
  problem.hidden = !wasWrong;
  problem.textContent = wasWrong ? "The token is unknown or was revoked." : "";
  const answer = await asked(byId("token-dialog", HTMLDialogElement));
  const token = input.value.trim();
  input.value = "";
  if (answer === "use" && token) return token;
  throw new ApiError(401, "token-missing", "The server needs a token to answer.");
}
