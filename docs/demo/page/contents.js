/**
 * What the build writes into model.json, for the checker of types; nothing of it runs.
 *
 * @typedef {{kind: string, text: string}} Note
 *
 * @typedef {{weights: number[], bias: number, threshold: number}} Boundary
 *
 * @typedef {object} Look What an image may look like that the model was not meant for.
 * @property {Boundary} grey by the grey values alone
 * @property {Boundary} all by the grey values and the lungs
 * @property {string} code of the refusal
 * @property {string} message
 * @property {Note | null} note where such an image passes with a note
 *
 * @typedef {object} LungCard
 * @property {number} size
 * @property {number} threshold
 * @property {Record<keyof import("./parts.js").Shape, number>} rule the least that lungs have
 * @property {Record<keyof import("./parts.js").Shape, string>} lacks what is said of less
 * @property {string} nothing what is said where nothing is marked
 * @property {Note} sides what is assumed
 *
 * @typedef {object} Contents
 * @property {string} version of pulmo
 * @property {import("./types.js").Model} summary
 * @property {string} weights_sha256
 * @property {{spread: number, normalised: {mean: number, deviation: number} | null} | null} region how
 *     the lungs are cut out, and what their grey values become; null of a model that sees whole images
 * @property {number} size side of the input
 * @property {LungCard} lungs
 * @property {Record<string, Look>} looks empty if the model asks no looks
 * @property {number} temperature
 * @property {number} sets least probability of a class of the prediction set; -1 without sets
 * @property {{scale: number, detections: Record<string, {outline: number, least: number}>}} activation
 * @property {{method: string, title: string, unit: string, caption: string, colours: string[]}} explanation
 * @property {{side: number, table: number[][], stripe: number}} paint colours and opacities, 0 to 255
 * @property {number} small side of the image on which a map and the lungs are compared
 * @property {number} least smallest share of the image that a detection has
 * @property {{noLungs: string, seen: Note, model: Note[]}} notes
 */
export {};
