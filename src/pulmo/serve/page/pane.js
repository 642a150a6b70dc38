/** One image on a canvas, with the layers over it. */

import { make } from "./dom.js";
import { colours } from "./view.js";

/** @typedef {import("./types.js").Box} Box */
/** @typedef {import("./types.js").Lungs} Lungs */
/** @typedef {import("./view.js").View} View */
/** @typedef {{values: Uint16Array, width: number, height: number}} Pixels */
/** @typedef {{left: number, top: number, width: number, height: number}} Rectangle */

/** Two strokes, dark below bright, can be seen on any grey. */
const STROKES = [{ colour: "rgb(0 0 0 / 0.75)", width: 4 }, { colour: "", width: 1.75 }];
const LUNGS = "#5fd7ff";
const BOXES = "#ffe14d";

export class Pane {
  /** @param {View} view */
  constructor(view) {
    this.view = view;
    this.canvas = make("canvas", { tabindex: "0", role: "img", "aria-label": "No image" });
    this.caption = make("div", { class: "corner caption" });
    this.values = make("div", { class: "corner values" });
    this.sides = ["left", "right"].map((at) => make("div", { class: `corner side at-${at}` }));
    this.root = make(
      "div", { class: "pane" }, this.canvas, this.caption, this.values, ...this.sides,
    );
    this.grey = document.createElement("canvas");
    /** @type {Pixels | null} */
    this.pixels = null;
    /** @type {ImageBitmap | null} */
    this.heatMap = null;
    /** @type {Lungs | null} */
    this.lungs = null;
    /** @type {Box[]} */
    this.boxes = [];
    this.drawnWindow = "";
    this.frame = 0;
    view.addEventListener("change", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  /**
   * Shows another image, or none, without layers.
   *
   * @param {Pixels | null} pixels
   * @param {string} caption
   * @param {"left" | "right" | null} patientRight the edge at which the patient's right side is
   */
  show(pixels, caption, patientRight) {
    this.heatMap = null;
    this.lungs = null;
    this.boxes = [];
    this.caption.textContent = caption;
    this.sides.forEach((side, number) => {
      const isRight = patientRight === (number ? "right" : "left");
      side.textContent = patientRight === null ? "" : isRight ? "R" : "L";
      side.hidden = patientRight === null || pixels === null;
    });
    this.refine(pixels);
  }

  /**
   * Replaces the pixels by those of another resolution of the same image.
   *
   * @param {Pixels | null} pixels
   */
  refine(pixels) {
    this.pixels = pixels;
    this.drawnWindow = "";
    if (pixels) {
      this.grey.width = pixels.width;
      this.grey.height = pixels.height;
    }
    this.draw();
  }

  /** Screen pixels (of CSS) that a pixel of the loaded image takes. */
  get scale() {
    if (!this.pixels) return 1;
    const { clientWidth, clientHeight } = this.canvas;
    const fit = Math.min(clientWidth / this.pixels.width, clientHeight / this.pixels.height);
    return fit * this.view.state.zoom;
  }

  /**
   * Where the image lies on the canvas.
   *
   * @returns {Rectangle}
   */
  get rectangle() {
    const { x, y } = this.view.state;
    const width = (this.pixels?.width ?? 1) * this.scale;
    const height = (this.pixels?.height ?? 1) * this.scale;
    const { clientWidth, clientHeight } = this.canvas;
    return { left: clientWidth / 2 - x * width, top: clientHeight / 2 - y * height, width, height };
  }

  /**
   * Zooms about a point, which stays where it is.
   *
   * @param {number} factor
   * @param {number} [across] of the canvas, from its left edge; its middle by default
   * @param {number} [down]
   */
  zoom(factor, across = this.canvas.clientWidth / 2, down = this.canvas.clientHeight / 2) {
    const before = this.rectangle;
    const point = { x: (across - before.left) / before.width, y: (down - before.top) / before.height };
    const { zoom, x, y } = this.view.state;
    const next = Math.min(32, Math.max(0.5, zoom * factor));
    const kept = zoom / next;
    this.view.set({
      zoom: next,
      x: point.x + (x - point.x) * kept,
      y: point.y + (y - point.y) * kept,
    });
  }

  /**
   * Moves the image.
   *
   * @param {number} across screen pixels
   * @param {number} down
   */
  pan(across, down) {
    const { width, height } = this.rectangle;
    const { x, y } = this.view.state;
    this.view.set({ x: x - across / width, y: y - down / height });
  }

  /** Draws before the next frame, once. */
  draw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.#drawNow();
    });
  }

  #drawNow() {
    const { canvas, pixels } = this;
    const density = window.devicePixelRatio;
    canvas.width = Math.max(1, Math.round(canvas.clientWidth * density));
    canvas.height = Math.max(1, Math.round(canvas.clientHeight * density));
    const context = canvas.getContext("2d");
    if (!context) return;
    this.values.hidden = !pixels;
    if (!pixels) return;
    this.#drawGrey(pixels);
    context.scale(density, density);
    const { left, top, width, height } = this.rectangle;
    // Enlarged pixels are shown as they are, and not as values that nobody measured.
    context.imageSmoothingEnabled = this.scale < 3;
    context.imageSmoothingQuality = "high";
    context.drawImage(this.grey, left, top, width, height);
    if (this.heatMap) {
      context.imageSmoothingEnabled = true;
      context.globalAlpha = this.view.opacity;
      context.drawImage(this.heatMap, left, top, width, height);
      context.globalAlpha = 1;
    }
    this.#drawLungs(context, this.rectangle);
    this.#drawBoxes(context, this.rectangle);
    const { state } = this.view;
    const percent = (/** @type {number} */ share) => `${Math.round(100 * share)} %`;
    this.values.textContent =
      `Window ${percent(state.width)} · level ${percent(state.level)} · zoom ${percent(state.zoom)}` +
      (state.invert ? " · inverted" : "");
  }

  /** @param {Pixels} pixels */
  #drawGrey(pixels) {
    const { width, level, invert } = this.view.state;
    const wanted = `${width} ${level} ${invert}`;
    if (wanted === this.drawnWindow) return;
    this.drawnWindow = wanted;
    const context = this.grey.getContext("2d");
    if (!context) return;
    const drawn = context.createImageData(pixels.width, pixels.height);
    const out = new Uint32Array(drawn.data.buffer);
    const table = colours(this.view.state);
    const { values } = pixels;
    for (let place = 0; place < out.length; place += 1) out[place] = table[values[place]];
    context.putImageData(drawn, 0, 0);
  }

  /** @param {CanvasRenderingContext2D} context @param {Rectangle} at */
  #drawLungs(context, at) {
    if (!this.lungs?.found) return;
    const across = at.width / this.lungs.width;
    const down = at.height / this.lungs.height;
    const path = new Path2D();
    for (const { points } of this.lungs.outlines) {
      points.forEach(([x, y], number) => {
        const place = /** @type {const} */ ([at.left + x * across, at.top + y * down]);
        if (number) path.lineTo(...place);
        else path.moveTo(...place);
      });
      path.closePath();
    }
    stroke(context, path, LUNGS);
  }

  /** @param {CanvasRenderingContext2D} context @param {Rectangle} at */
  #drawBoxes(context, at) {
    context.font = "600 12px system-ui, sans-serif";
    for (const box of this.boxes) {
      const left = at.left + box.left * at.width;
      const top = at.top + box.top * at.height;
      const path = new Path2D();
      path.rect(left, top, box.width * at.width, box.height * at.height);
      stroke(context, path, BOXES);
      const text = box.score.toFixed(1);
      context.fillStyle = "rgb(0 0 0 / 0.75)";
      context.fillRect(left, top - 17, context.measureText(text).width + 8, 17);
      context.fillStyle = BOXES;
      context.fillText(text, left + 4, top - 4);
    }
  }
}

/** @param {CanvasRenderingContext2D} context @param {Path2D} path @param {string} colour */
function stroke(context, path, colour) {
  for (const each of STROKES) {
    context.strokeStyle = each.colour || colour;
    context.lineWidth = each.width;
    context.stroke(path);
  }
}
