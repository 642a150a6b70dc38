/** How the images are looked at: one state for both panes, so that they stay linked. */

/** Window and level are shares of the whole range of values; x and y, 0 to 1, are the point of the
 * image at the middle of a pane. */
const START = { width: 1, level: 0.5, invert: false, zoom: 1, x: 0.5, y: 0.5 };
const ZOOM = { least: 0.5, most: 32 };

/** @param {number} value @param {number} least @param {number} most */
const limited = (value, least, most) => Math.min(most, Math.max(least, value));

/** The state; every change is announced by the event "change". */
export class View extends EventTarget {
  constructor() {
    super();
    this.state = { ...START };
    /** Of the layers. */
    this.opacity = 0.6;
  }

  /** @param {Partial<typeof START>} change */
  set(change) {
    const next = { ...this.state, ...change };
    this.state = {
      ...next,
      width: limited(next.width, 0.005, 2),
      level: limited(next.level, 0, 1),
      zoom: limited(next.zoom, ZOOM.least, ZOOM.most),
      x: limited(next.x, 0, 1),
      y: limited(next.y, 0, 1),
    };
    this.dispatchEvent(new Event("change"));
  }

  /** Shows the whole image. */
  fit() {
    this.set({ zoom: 1, x: 0.5, y: 0.5 });
  }

  /** Goes back to the start. */
  reset() {
    this.set(START);
  }

  /** @param {number} opacity 0 to 1 */
  setOpacity(opacity) {
    this.opacity = limited(opacity, 0, 1);
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * Returns the colour of each value of an image, as the bytes of a canvas.
 *
 * @param {{width: number, level: number, invert: boolean}} state
 * @returns {Uint32Array} [65536]
 */
export function colours({ width, level, invert }) {
  const table = new Uint32Array(65536);
  const low = (level - width / 2) * 65535;
  const scale = 255 / (width * 65535);
  for (let value = 0; value < 65536; value += 1) {
    const grey = Math.round(limited((value - low) * scale, 0, 255));
    const shown = invert ? 255 - grey : grey;
    // Opaque; the same in either order of bytes but for the opacity, and all browsers' is little.
    table[value] = 0xff000000 | (shown << 16) | (shown << 8) | shown;
  }
  return table;
}

/**
 * Returns a window that leaves out the darkest and the brightest hundredth of an image.
 *
 * @param {Uint16Array} values
 * @returns {{width: number, level: number}}
 */
export function automaticWindow(values) {
  const counts = new Uint32Array(1024);
  for (const value of values) counts[value >> 6] += 1;
  const edge = (/** @type {number} */ share) => {
    let seen = 0;
    const until = share * values.length;
    return counts.findIndex((count) => (seen += count) >= until) / 1023;
  };
  const low = edge(0.01);
  const high = edge(0.99);
  return { width: Math.max(high - low, 0.02), level: (low + high) / 2 };
}
