/** For the checker of types: the page in the browser alone has the functions that shared modules ask for. */

import * as ownApi from "../../../docs/demo/page/api.js";
import * as ownPlace from "../../../docs/demo/page/place.js";
import * as api from "../../../src/pulmo/serve/page/api.js";
import * as place from "../../../src/pulmo/serve/page/place.js";

/** Those for tokens are the server's alone. @type {Omit<typeof api, "onTokenNeeded" | "hasToken" | "forgetToken">} */
export const sameApi = ownApi;

/** @type {Omit<typeof place, "askForToken">} */
export const samePlace = ownPlace;
