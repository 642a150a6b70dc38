/** The buttons and sliders of the view. */

import { byId } from "./dom.js";
import { automaticWindow } from "./view.js";

/** @typedef {import("./pane.js").Pane} Pane */
/** @typedef {import("./pane.js").Pixels} Pixels */
/** @typedef {import("./view.js").View} View */

/**
 * Binds them to a view.
 *
 * @param {View} view
 * @param {() => Pane} pane gives the pane that is zoomed
 */
export function bindTools(view, pane) {
  const radios = {
    window: byId("tool-window", HTMLButtonElement),
    pan: byId("tool-pan", HTMLButtonElement),
  };
  const width = byId("width", HTMLInputElement);
  const level = byId("level", HTMLInputElement);
  const opacity = byId("opacity", HTMLInputElement);
  const invert = byId("invert", HTMLButtonElement);
  const tools = {
    /** @type {"window" | "pan"} What a drag does. */
    tool: "window",
    /** @type {Pixels | null} */
    shown: null,
    /** Tells of which image the automatic window is. @param {Pixels | null} pixels */
    pixels(pixels) {
      tools.shown = pixels;
    },
    /** @param {"window" | "pan"} name */
    use(name) {
      tools.tool = name;
      for (const [key, radio] of Object.entries(radios)) {
        radio.setAttribute("aria-checked", String(key === name));
        radio.tabIndex = key === name ? 0 : -1;
      }
      byId("panes", HTMLElement).classList.toggle("pan", name === "pan");
    },
  };
  const names = /** @type {const} */ (["window", "pan"]);
  for (const name of names) {
    radios[name].addEventListener("click", () => tools.use(name));
    radios[name].addEventListener("keydown", (event) => {
      if (!event.key.startsWith("Arrow")) return;
      const other = name === "window" ? "pan" : "window";
      tools.use(other);
      radios[other].focus();
      event.preventDefault();
      event.stopPropagation();
    });
  }
  /** @type {Record<string, () => void>} */
  const clicks = {
    "zoom-in": () => pane().zoom(1.25),
    "zoom-out": () => pane().zoom(0.8),
    "zoom-fit": () => view.fit(),
    "zoom-one": () => pane().zoom(1 / (pane().scale * devicePixelRatio)),
    invert: () => view.set({ invert: !view.state.invert }),
    auto: () => tools.shown && view.set(automaticWindow(tools.shown.values)),
    reset: () => view.reset(),
  };
  for (const [id, click] of Object.entries(clicks)) {
    byId(id, HTMLButtonElement).addEventListener("click", click);
  }
  width.addEventListener("input", () => view.set({ width: Number(width.value) / 100 }));
  level.addEventListener("input", () => view.set({ level: Number(level.value) / 100 }));
  opacity.addEventListener("input", () => view.setOpacity(Number(opacity.value) / 100));
  view.addEventListener("change", () => {
    width.value = String(100 * view.state.width);
    level.value = String(100 * view.state.level);
    opacity.value = String(100 * view.opacity);
    invert.setAttribute("aria-pressed", String(view.state.invert));
    for (const slider of [width, level, opacity]) slider.setAttribute("aria-valuetext", `${slider.value} %`);
  });
  tools.use("window");
  return tools;
}
