/** The calls of the API: tokens, errors, and waiting for a server that is busy. */

/** @typedef {import("./types.js").Prediction} Prediction */

/** An answer with a status of 400 or more. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} code for programs
   * @param {string} message for people
   */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** No answer at all. */
export class ServerGone extends Error {
  constructor() {
    super("The server does not answer.");
  }
}

/**
 * The state of the server, as far as the calls know it: "up", "busy", "stopping", "gone".
 *
 * @type {EventTarget & {state: string}}
 */
export const server = Object.assign(new EventTarget(), { state: "up" });

/** @param {string} state */
function setState(state) {
  if (server.state === state) return;
  server.state = state;
  server.dispatchEvent(new Event("change"));
}

const KEY = "pulmo-token";
/** @type {(wasWrong: boolean) => Promise<string>} */
let askForToken = () => Promise.reject(new ApiError(401, "token-missing", "A token is needed."));
/** @type {Promise<void> | null} */
let asking = null;

/**
 * Sets how the user is asked for a token.
 *
 * @param {(wasWrong: boolean) => Promise<string>} ask
 */
export function onTokenNeeded(ask) {
  askForToken = ask;
}

/** @returns {boolean} */
export function hasToken() {
  return sessionStorage.getItem(KEY) !== null;
}

/** Forgets the token. */
export function forgetToken() {
  sessionStorage.removeItem(KEY);
}

/**
 * Asks for another token than one that was refused, once for all calls that wait for it.
 *
 * @param {string | null} refused
 */
async function renewToken(refused) {
  if (sessionStorage.getItem(KEY) !== refused) return;
  asking ??= askForToken(refused !== null)
    .then((token) => sessionStorage.setItem(KEY, token))
    .finally(() => {
      asking = null;
    });
  await asking;
}

/**
 * Waits.
 *
 * @param {number} milliseconds
 * @param {AbortSignal | undefined} signal ends it with an error
 * @returns {Promise<void>}
 */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/**
 * Asks until there is an answer that is neither "busy" nor "token".
 *
 * @param {(headers: Record<string, string>) => Promise<Response>} ask
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<Response>}
 */
async function answered(ask, signal) {
  for (;;) {
    signal?.throwIfAborted();
    const token = sessionStorage.getItem(KEY);
    const response = await ask(token === null ? {} : { Authorization: `Bearer ${token}` });
    const wait = Number(response.headers.get("Retry-After"));
    if (response.status === 401) {
      await renewToken(token);
    } else if ((response.status === 429 || response.status === 503) && wait > 0) {
      setState(response.status === 429 ? "busy" : "stopping");
      await pause(1000 * wait, signal);
    } else {
      setState("up");
      if (response.ok) return response;
      throw await errorOf(response);
    }
  }
}

/**
 * Returns the error that an answer names.
 *
 * @param {Response} response
 * @returns {Promise<ApiError>}
 */
async function errorOf(response) {
  try {
    const { error } = await response.json();
    return new ApiError(response.status, error.code, error.message);
  } catch {
    const message = `The server answered with the status ${response.status}.`;
    return new ApiError(response.status, "unknown", message);
  }
}

/**
 * Calls the API.
 *
 * @param {string} path
 * @param {{method?: string, signal?: AbortSignal}} options
 * @returns {Promise<Response>}
 */
export function call(path, { method = "GET", signal } = {}) {
  return answered(async (headers) => {
    try {
      return await fetch(path, { method, headers, signal });
    } catch (error) {
      signal?.throwIfAborted();
      setState("gone");
      throw error instanceof TypeError ? new ServerGone() : error;
    }
  }, signal);
}

/**
 * Sends an image.
 *
 * @param {Blob} image
 * @param {string} model its id
 * @param {(share: number) => void} onProgress called with the share that was sent, 0 to 1
 * @param {AbortSignal} signal
 * @returns {Promise<Prediction>}
 */
export async function predict(image, model, onProgress, signal) {
  const path = `/v1/predictions?model=${encodeURIComponent(model)}`;
  const response = await answered((headers) => post(path, headers, image, onProgress, signal), signal);
  return response.json();
}

/**
 * @param {string} path
 * @param {Record<string, string>} sent headers
 * @param {Blob} body
 * @param {(share: number) => void} onProgress
 * @param {AbortSignal} signal
 * @returns {Promise<Response>}
 */
function post(path, sent, body, onProgress, signal) {
  // `fetch` does not say how much of a body was sent.
  const request = new XMLHttpRequest();
  return new Promise((resolve, reject) => {
    request.open("POST", path);
    for (const [name, value] of Object.entries(sent)) request.setRequestHeader(name, value);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
    request.onload = () => {
      const retry = request.getResponseHeader("Retry-After");
      const headers = new Headers(retry === null ? [] : [["Retry-After", retry]]);
      resolve(new Response(request.responseText, { status: request.status, headers }));
    };
    request.onerror = () => reject(new ServerGone());
    request.onabort = () => reject(signal.reason);
    signal.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

/**
 * Tells whether the server answers at all.
 *
 * @returns {Promise<boolean>}
 */
export async function isAlive() {
  try {
    const alive = (await fetch("/healthz", { signal: AbortSignal.timeout(5000) })).ok;
    setState(alive ? "up" : "gone");
    return alive;
  } catch {
    setState("gone");
    return false;
  }
}
