/** The theme: the system's, until one is chosen. */

import { byId } from "./dom.js";

const STORED = "pulmo-theme";

/** Lets the choice set the theme. */
export function bindTheme() {
  const choice = byId("theme", HTMLSelectElement);
  const apply = () => {
    if (choice.value === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice.value;
  };
  choice.value = localStorage.getItem(STORED) ?? "system";
  choice.addEventListener("change", () => {
    localStorage.setItem(STORED, choice.value);
    apply();
  });
  apply();
}
