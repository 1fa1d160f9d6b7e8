// The only door to the document. Texts go in as texts: nothing that came with the data is ever parsed as HTML.

/**
 * Signs that reorder or hide their neighbours: shown by their number, so that no text pretends to be another.
 * Line ends and tabs stay.
 */
// biome-ignore lint: control characters are what it is about
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** @param {string} text */
export function shown(text) {
  return text.replace(HIDDEN, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Attributes that people read, or hear. */
const READ = new Set(["title", "alt", "aria-label"]);

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * Make an element. `class`, `text` and listeners (`onclick`) are what they say; every other key is an attribute.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [settings]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(tag, settings = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(settings)) {
    if (value == null || value === false) continue;
    if (key === "text") node.textContent = shown(String(value));
    else if (typeof value === "function") node.addEventListener(key.slice(2), value);
    else if (key === "href") setLink(/** @type {HTMLAnchorElement} */ (/** @type {unknown} */ (node)), String(value));
    else node.setAttribute(key, value === true ? "" : READ.has(key) ? shown(String(value)) : String(value));
  }
  add(node, ...children);
  return node;
}

/** Append what there is. @param {Element} node @param {...(Child | Child[])} children */
export function add(node, ...children) {
  for (const child of children.flat()) {
    if (child == null || child === false) continue;
    node.append(child instanceof Node ? child : shown(String(child)));
  }
}

/** Replace all that is in a node. @param {Element} node @param {...(Child | Child[])} children */
export function fill(node, ...children) {
  node.replaceChildren();
  add(node, ...children);
}

/** @param {HTMLAnchorElement} node @param {string} address */
function setLink(node, address) {
  const safe = safeLink(address);
  if (safe === null) return;
  node.setAttribute("href", safe);
  node.setAttribute("rel", "noopener noreferrer");
}

/**
 * Return the address if it leads to the web or to a file beside this one, else null: never a script.
 *
 * @param {string} address
 */
export function safeLink(address) {
  const plain = address.replace(/[\u0000-\u0020]/g, (sign) => (sign === " " ? "%20" : ""));
  if (plain.startsWith("#") || /^https?:\/\//i.test(plain)) return plain;
  if (/^[\\/]{2}|^[a-z][a-z0-9+.-]*:/i.test(plain) || plain === "") return null;
  return plain;
}

/** Only pictures that came with the page, of the kinds that `report.images` lets in: none that is a program. @param {string} uri */
export function isImage(uri) {
  return /^data:image\/(png|jpeg|gif|webp)[;,]/i.test(uri);
}

const SVG = "http://www.w3.org/2000/svg";

/** A small drawing of paths. @param {string} path @param {string} kind */
export function icon(path, kind) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "-8 -8 16 16");
  svg.setAttribute("class", `icon ${kind}`);
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

let told = 0;

/** Say something to screen readers, and to all in a corner. @param {string} text */
export function say(text) {
  const place = /** @type {HTMLElement} */ (document.getElementById("said"));
  const over = document.querySelector("dialog[open]") ?? document.body; // an open dialog lies above all else
  if (place.parentNode !== over) over.append(place);
  place.textContent = shown(text);
  place.classList.add("on");
  clearTimeout(told);
  told = setTimeout(() => place.classList.remove("on"), 2000);
}

/** @param {string} text */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = el("textarea", { class: "offscreen", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy"); // where a page opened from disk has no clipboard of its own
    area.remove();
  }
  say("Copied");
}

/** A button that copies a text. @param {string | (() => string)} text @param {string} what */
export function copyButton(text, what) {
  const now = () => (typeof text === "string" ? text : text());
  return el("button", { type: "button", class: "quiet", "aria-label": `Copy ${what}`, onclick: () => copy(now()) }, "Copy");
}

/** A text in a fixed-width font, with a button that copies it. @param {string} text @param {string} what */
export function copyable(text, what) {
  return el("div", { class: "copyable" }, el("code", { text }), copyButton(text, what));
}

/** A titled section of the page. @param {string} id @param {string} title @param {...(Child | Child[])} children */
export function section(id, title, ...children) {
  const head = el("h2", { id: `${id}-title`, text: title });
  return el("section", { id, "aria-labelledby": `${id}-title` }, el("div", { class: "head" }, head), ...children);
}
