/**
 * What the API answers, for the checker of types; nothing of it runs.
 *
 * @typedef {"done" | "refused" | "failed"} Status
 *
 * @typedef {object} Facts
 * @property {string} format
 * @property {number} bits
 * @property {number} height
 * @property {number} width
 * @property {string | null} view
 * @property {string | null} modality
 * @property {string | null} body_part
 * @property {string | null} intent
 * @property {"left" | "right" | null} patient_right
 * @property {[number, number] | null} spacing
 *
 * @typedef {object} Prediction
 * @property {string} id
 * @property {string} created
 * @property {Status} status
 * @property {string | null} reason
 * @property {string | null} code
 * @property {string} sha256
 * @property {string[]} notes
 * @property {string[]} note_kinds
 * @property {Record<string, number> | null} probabilities
 * @property {string | null} decision
 * @property {string[]} positive_classes
 * @property {number | null} positive_probability
 * @property {number} threshold
 * @property {boolean | null} positive
 * @property {"negative" | "uncertain" | "positive" | null} band
 * @property {string[] | null} prediction_set
 * @property {Facts | null} facts
 * @property {{id: string, name: string, version: string, sha256: string, weights_sha256: string}} model
 * @property {string | null} image_until
 * @property {string} notice
 *
 * @typedef {object} Estimate
 * @property {number | null} value
 * @property {number | null} low
 * @property {number | null} high
 * @property {number} n
 *
 * @typedef {object} Method
 * @property {string} name
 * @property {string} title
 * @property {boolean} fixed_scale
 * @property {boolean} of_class
 * @property {boolean} slow
 *
 * @typedef {object} Model
 * @property {string} id
 * @property {string} name
 * @property {string} description
 * @property {string} notice
 * @property {string[]} classes
 * @property {string[]} positive_classes
 * @property {number} threshold
 * @property {string} positive_sentence
 * @property {string} version
 * @property {string} sha256
 * @property {string} license
 * @property {Method[]} methods
 * @property {boolean} default
 * @property {Estimate | null} sensitivity
 * @property {Estimate | null} specificity
 * @property {{low: number, high: number} | null} bands
 * @property {number | null} sets_coverage
 *
 * @typedef {object} Explanation
 * @property {string} label
 * @property {string} method
 * @property {string} title
 * @property {string} unit
 * @property {number} scale
 * @property {boolean} fixed_scale
 * @property {number | null} share_in_lungs
 * @property {string} caption
 * @property {string[]} colours
 *
 * @typedef {object} Lungs
 * @property {boolean} found
 * @property {string | null} reason
 * @property {number} width
 * @property {number} height
 * @property {{side: string, points: [number, number][]}[]} outlines
 * @property {string[]} notes
 *
 * @typedef {object} Box
 * @property {number} left
 * @property {number} top
 * @property {number} width
 * @property {number} height
 * @property {number} score
 *
 * @typedef {object} Boxes
 * @property {string} label
 * @property {string} unit
 * @property {boolean} available
 * @property {Box[]} boxes
 */
export {};
