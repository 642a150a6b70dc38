/** Why an image has no result. */

/** An image that is refused, or a file that cannot be read. */
export class Unreadable extends Error {
  /**
   * @param {"refused" | "failed"} status refused: it can be read, but is not for the model
   * @param {string} code pulmo's, for programs
   * @param {string} message for people
   */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** @param {string} form @param {string} what */
export const damaged = (form, what = "it is damaged, truncated or departs from the standard") =>
  new Unreadable("failed", "image-damaged", `The image could not be read as ${form}: ${what}.`);

/** @param {string} form */
export const truncated = (form) =>
  new Unreadable("failed", "image-truncated", `The image is a truncated ${form} file: its data end before its last row.`);

/** What a browser does not read as pulmo does. @param {string} what */
export const notHere = (what) =>
  new Unreadable("failed", "not-in-browser", `${what} This page does not read it, but pulmo serve does.`);
