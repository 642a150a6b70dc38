/** Small helpers to find and make elements. */

/**
 * Returns the element with an id.
 *
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind its class
 * @returns {T}
 */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no ${kind.name} "${id}".`);
  return found;
}

/**
 * Returns a new element. Text never becomes HTML.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {Record<string, string | boolean | null | undefined>} attributes true: without a value;
 *     false, null, undefined: none
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (typeof value === "string") made.setAttribute(key, value);
  }
  for (const child of children) if (child) made.append(child);
  return made;
}

/**
 * Returns a button.
 *
 * @param {string} text
 * @param {() => void} onClick
 * @param {Record<string, string>} attributes
 */
export function button(text, onClick, attributes = {}) {
  const made = make("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", onClick);
  return made;
}

/**
 * Fills a choice; what was chosen stays so where it still can be.
 *
 * @param {HTMLSelectElement} select
 * @param {{value: string, text: string}[]} options
 * @param {string} chosen
 */
export function fillSelect(select, options, chosen) {
  const key = JSON.stringify(options);
  if (select.dataset.options !== key) {
    select.dataset.options = key;
    select.replaceChildren(
      ...options.map(({ value, text }) => make("option", { value }, text)),
    );
  }
  select.value = options.some(({ value }) => value === chosen) ? chosen : (options[0]?.value ?? "");
}

/**
 * Says something to those who do not see the page.
 *
 * @param {string} text
 */
export function announce(text) {
  byId("live", HTMLElement).textContent = text;
}

/**
 * Gives data to the user as a file.
 *
 * @param {Blob} data
 * @param {string} name
 */
export function saveFile(data, name) {
  const address = URL.createObjectURL(data);
  make("a", { href: address, download: name }).click();
  // The browser reads it after this function has returned.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
