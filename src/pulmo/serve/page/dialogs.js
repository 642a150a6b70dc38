/** The dialogs: model card, keys, and whether a result is to be deleted. */

import { call } from "./api.js";
import { byId, make } from "./dom.js";

/** Closes each wide dialog by its button. */
export function bindDialogs() {
  for (const close of document.querySelectorAll("dialog .close")) {
    close.addEventListener("click", () => close.closest("dialog")?.close());
  }
}

/**
 * Opens a dialog with a form.
 *
 * @param {HTMLDialogElement} dialog
 * @returns {Promise<string>} the value of the button that closed it; "" if none did
 */
export function asked(dialog) {
  dialog.showModal();
  return new Promise((resolve) => {
    // The event "close" comes later, when the dialog may be open for another question.
    dialog.onsubmit = ({ submitter }) => {
      resolve(submitter instanceof HTMLButtonElement ? submitter.value : "");
    };
    dialog.oncancel = () => resolve("");
  });
}

/** Asks whether a result is to be deleted. @returns {Promise<boolean>} */
export async function askToDelete() {
  return (await asked(byId("delete-dialog", HTMLDialogElement))) === "delete";
}

/** Shows the card of a model. @param {string} id */
export async function showCard(id) {
  const place = byId("card", HTMLElement);
  place.replaceChildren(make("p", { class: "quiet" }, "The card is being loaded."));
  byId("card-dialog", HTMLDialogElement).showModal();
  try {
    const text = await (await call(`/v1/models/${id}/card?format=html`)).text();
    const page = new DOMParser().parseFromString(text, "text/html");
    const source = page.querySelector("main") ?? page.body;
    place.replaceChildren(...copied(source));
  } catch (error) {
    place.replaceChildren(make("p", { class: "problem" }, String(error instanceof Error ? error.message : error)));
  }
}

const ALLOWED = new Set(
  "h1 h2 h3 h4 p ul ol li table thead tbody tr th td strong em code pre blockquote hr br a".split(" "),
);

/**
 * Copies text and plain elements, and nothing that a card could run or load.
 *
 * @param {Node} source
 * @returns {Node[]}
 */
function copied(source) {
  return [...source.childNodes].flatMap((node) => {
    if (node instanceof Text) return [document.createTextNode(node.data)];
    if (!(node instanceof Element)) return [];
    const name = node.localName;
    if (!ALLOWED.has(name)) return copied(node);
    const made = document.createElement(name);
    const address = node.getAttribute("href") ?? "";
    if (name === "a" && /^https?:/.test(address)) {
      made.setAttribute("href", address);
      made.setAttribute("rel", "noopener noreferrer");
      made.setAttribute("target", "_blank");
    }
    made.append(...copied(node));
    return [made];
  });
}
