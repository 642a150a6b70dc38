/** What pointers do on a pane: window and level, moving and zooming. */

/** @typedef {import("./pane.js").Pane} Pane */
/** @typedef {{x: number, y: number}} Point */

/**
 * Lets pointers change the view of a pane.
 *
 * @param {Pane} pane
 * @param {() => "window" | "pan"} tool what a drag with the main button does
 */
export function followPointers(pane, tool) {
  const { canvas } = pane;
  /** @type {Map<number, Point>} */
  const down = new Map();
  let moves = false;

  canvas.addEventListener("pointerdown", (event) => {
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    down.set(event.pointerId, place(canvas, event));
    moves = event.button !== 0 || event.shiftKey || tool() === "pan";
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) return;
    const now = place(canvas, event);
    if (down.size === 2) pinch(pane, down, event.pointerId, now);
    else if (moves) pane.pan(now.x - before.x, now.y - before.y);
    else drag(pane, now.x - before.x, now.y - before.y);
    down.set(event.pointerId, now);
  });
  for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) {
    canvas.addEventListener(end, (event) => down.delete(event.pointerId));
  }
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("dblclick", () => pane.view.fit());
  canvas.addEventListener("wheel", (event) => wheel(pane, event), { passive: false });
}

/**
 * The point of an event on a canvas.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {MouseEvent} event
 * @returns {Point}
 */
function place(canvas, event) {
  const { left, top } = canvas.getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top };
}

/**
 * The window widens to the right, and the image darkens downwards, as on other workstations.
 *
 * @param {Pane} pane
 * @param {number} across
 * @param {number} downwards
 */
function drag(pane, across, downwards) {
  const { width, level } = pane.view.state;
  pane.view.set({ width: width * Math.exp(across / 250), level: level + (width * downwards) / 500 });
}

/**
 * @param {Pane} pane
 * @param {Map<number, Point>} down
 * @param {number} moved the pointer that moves
 * @param {Point} now
 */
function pinch(pane, down, moved, now) {
  const before = /** @type {Point} */ (down.get(moved));
  const other = [...down].find(([key]) => key !== moved)?.[1] ?? before;
  const length = (/** @type {Point} */ point) => Math.hypot(point.x - other.x, point.y - other.y);
  const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
  pane.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
  if (length(before) > 10) pane.zoom(length(now) / length(before), middle.x, middle.y);
}

/** @param {Pane} pane @param {WheelEvent} event */
function wheel(pane, event) {
  event.preventDefault();
  // A line is some 30 pixels.
  const moved = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1);
  const { x, y } = place(pane.canvas, event);
  pane.zoom(Math.exp(-moved / 500), x, y);
}
