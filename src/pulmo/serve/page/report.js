/**
 * A report of pulmo inside a page that allows no style of its own: its text, figures and style sheet are
 * copied into a shadow root, and nothing that could run or load.
 */

const DROPPED = "script, iframe, object, embed, link, meta, base, form, input, button, style, title";
const SHEETS = /<style>([^]*?)<\/style>/g;
/** An inline style as text that the parser does not apply; the browser would refuse it. */
const STYLE = /(<[^>]*\s)style="/g;

/**
 * Draws a report.
 *
 * @param {HTMLElement} host an element without a shadow root
 * @param {string} text the HTML of the report
 */
export function drawReport(host, text) {
  const root = host.attachShadow({ mode: "open" });
  const sheets = [...text.matchAll(SHEETS)].map(([, sheet]) => sheet).join("\n");
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(inside(sheets));
  root.adoptedStyleSheets = [sheet];
  const bare = text.replace(SHEETS, "").replace(STYLE, '$1data-style="');
  const page = new DOMParser().parseFromString(bare, "text/html");
  for (const element of page.querySelectorAll(DROPPED)) element.remove();
  for (const element of page.querySelectorAll("*")) clean(element);
  for (const element of page.querySelectorAll("main")) {
    // The page around it has one.
    const plain = page.createElement("div");
    plain.className = "report-main";
    plain.append(...element.childNodes);
    element.replaceWith(plain);
  }
  const body = document.createElement("div");
  body.className = "report-body";
  body.append(...[...page.body.childNodes].map((node) => document.importNode(node, true)));
  for (const element of body.querySelectorAll("[data-style]")) {
    const { style, dataset } = /** @type {HTMLElement} */ (element);
    style.cssText = dataset.style ?? "";
    delete dataset.style;
  }
  root.append(body);
  root.addEventListener("click", (event) => jump(root, event));
}

/** Makes the selectors of a whole page those of a shadow root. @param {string} sheet */
function inside(sheet) {
  return sheet
    .replace(/:root\b/g, ":host")
    .replace(/(^|[\s,}])(html|body)(?=[\s,{])/g, "$1.report-body")
    .replace(/(^|[\s,}])main(?=[\s,{.:>])/g, "$1.report-main");
}

/** Leaves only addresses within the report, data of images, and links that a click follows. @param {Element} element */
function clean(element) {
  for (const { name, value } of [...element.attributes]) {
    const isAddress = name === "href" || name === "src" || name === "xlink:href";
    const isKept = /^(#|data:image\/(png|jpeg|webp);)/.test(value) || (name === "href" && /^https?:/.test(value));
    if (name.startsWith("on") || (isAddress && !isKept)) element.removeAttribute(name);
  }
  if (element instanceof HTMLAnchorElement && /^https?:/.test(element.getAttribute("href") ?? "")) {
    element.target = "_blank";
    element.rel = "noopener noreferrer";
  }
}

/** Follows a link within the report, which the page's address cannot name. @param {ShadowRoot} root @param {Event} event */
function jump(root, event) {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  const address = link?.getAttribute("href") ?? "";
  if (!address.startsWith("#")) return;
  event.preventDefault();
  root.getElementById(address.slice(1))?.scrollIntoView();
}
