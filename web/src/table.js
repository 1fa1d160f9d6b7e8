// The table of all rows: sorted, filtered, and made only where it is looked at, so that 10,000 rows stay quick.
import { add, el, fill, shown } from "./dom.js";
import { cell, measureOf, unitOf } from "./format.js";
import { columnText } from "./language.js";
import { stateLabel } from "./states.js";

const ROW = 34; // pixels; the style sheet says the same
const MORE = 8; // rows made above and below those seen
const PRINTED = 500;
const BROAD = 8; // columns that paper holds upright
/** What may be written into a column's field: shortly, and in a sentence. @type {Record<"B" | "s" | "number" | "text", [string, string]>} */
const EXAMPLES = {
  B: [">200 MiB", "Such as >200 MiB, <=1.5 GB or 100 MiB..1 GiB; a number alone is in bytes"],
  s: [">1 min", "Such as >1 min, <=100 ms or 30 s..1 h; a number alone is in seconds"],
  number: ["<, >, a..b", "Such as <0.1, >=5 or 0.1..1"],
  text: ["", "Such as adam, =adam or adam | sgd"],
};

/**
 * @param {import("./store.js").Store} store
 * @param {{ label: string, open?: (row: number) => void, link?: (row: number) => string | null, key: string, hidden?: string[] }} options
 */
export function table(store, { label, open, link, key, hidden = [] }) {
  const away = new Set(hidden);
  const head = el("thead");
  const body = el("tbody");
  const columns = el("colgroup");
  const whole = el("table", { class: "grid", "aria-label": label }, columns, head, body);
  const scroller = el("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": `Table: ${label}` }, whole);
  const empty = el("p", { class: "empty", hidden: true, text: "No row fits the filter." });
  const node = el("div", { class: "tablebox" }, scroller, empty);
  /** @type {Map<string, HTMLInputElement>} */
  const fields = new Map();
  let first = -1;
  let last = -1;
  let isWhole = false;
  /** @type {Map<number, HTMLElement>} by their place */
  const made = new Map();
  const [above, below] = [0, 1].map(() => el("tr", { class: "spacer", "aria-hidden": "true" }, el("td")));

  const seen = () => store.columns.filter((column) => !away.has(column.name));
  const isNumber = (/** @type {Column} */ column) => column.kind === "number";

  function makeHead() {
    const names = el("tr");
    const filters = el("tr", { class: "filters" });
    fields.clear();
    columns.replaceChildren();
    let total = 0;
    for (const column of seen()) {
      const width = widthOf(column, store.values[column.name]);
      total += width;
      const col = el("col");
      col.style.width = `${width}px`;
      columns.append(col);
      const sorted = store.sortBy[0]?.name === column.name ? store.sortBy[0] : null;
      const button = el("button", { type: "button", title: column.label, "data-sort": column.name, onclick: () => sort(column.name) }, el("span", { class: "name", text: column.short ?? column.label }), el("span", { class: "arrow", "aria-hidden": "true" }, sorted ? (sorted.isDown ? "\u2193" : "\u2191") : ""));
      names.append(el("th", { scope: "col", class: `${isNumber(column) ? "n " : ""}role-${column.role}`, "aria-sort": sorted ? (sorted.isDown ? "descending" : "ascending") : "none" }, button));
      const [placeholder, title] = EXAMPLES[measureOf(column.name) || (isNumber(column) ? "number" : "text")];
      const field = el("input", { type: "search", "aria-label": `Filter ${column.label}`, "data-filter": column.name, placeholder, title, autocomplete: "off", spellcheck: "false" });
      field.addEventListener("input", () => store.setColumn(column.name, field.value ? { kind: "typed", text: field.value } : null));
      fields.set(column.name, field);
      filters.append(el("td", { class: isNumber(column) ? "n" : "" }, field));
    }
    node.classList.toggle("broad", seen().length > BROAD);
    whole.style.minWidth = `${total}px`;
    fill(head, names, filters);
    whole.setAttribute("aria-colcount", String(seen().length));
    syncFields();
  }

  function syncFields() {
    for (const [name, field] of fields) {
      const filter = store.columnFilters.get(name);
      field.classList.toggle("on", Boolean(filter));
      field.setAttribute("aria-invalid", String(store.columnComplaints.has(name)));
      if (document.activeElement !== field) field.value = filter ? columnText(filter, measureOf(name)) : "";
    }
  }

  /** @param {string} name */
  function sort(name) {
    const before = store.sortBy[0];
    store.sort(name, before?.name === name && !before.isDown);
    makeHead();
    /** @type {HTMLElement | null} */ (head.querySelector(`[data-sort="${CSS.escape(name)}"]`))?.focus();
  }

  /** @param {number} row @param {number} index */
  function makeRow(row, index) {
    const line = el("tr", { "aria-rowindex": String(index + 3), "data-row": String(row) });
    for (const column of seen()) {
      const value = store.values[column.name][row];
      const text = cell(value, column.name);
      const place = el("td", { class: isNumber(column) ? "n" : column.kind === "text" ? "text" : "" });
      const target = column.name === key ? link?.(row) : null;
      if (unitOf(column.name) === "status" && typeof value === "string") place.append(stateLabel(value));
      else if (target) place.append(el("a", { href: target, text: text || "open" }));
      else if (column.name === key && open) place.append(el("button", { type: "button", class: "open", "aria-label": `Open ${column.label} ${text}` }, text || "open"));
      else if (text) {
        add(place, text);
        if (unitOf(column.name) === "time") place.title = shown(String(value)); // in UTC
        else if (text.length > 14) place.title = shown(text);
      } else place.append(el("span", { class: "none", "aria-label": "none" }, "\u2013"));
      line.append(place);
    }
    return line;
  }

  /** What stands for rows that are not made. @param {HTMLElement} spacer @param {number} nRows */
  function stretch(spacer, nRows) {
    const place = /** @type {HTMLTableCellElement} */ (spacer.firstChild);
    place.colSpan = seen().length;
    place.style.height = `${nRows * ROW}px`;
    spacer.hidden = nRows === 0;
  }

  /** @param {boolean} [force] */
  function draw(force = false) {
    const rows = store.shownRows;
    const from = isWhole ? 0 : Math.max(0, Math.floor(scroller.scrollTop / ROW) - MORE);
    const to = isWhole ? Math.min(rows.length, PRINTED) : Math.min(rows.length, Math.ceil((scroller.scrollTop + (scroller.clientHeight || 600)) / ROW) + MORE);
    if (!force && from === first && to === last) return;
    [first, last] = [from, to];
    if (force) {
      made.clear();
      body.replaceChildren(above, below);
    }
    stretch(above, from);
    stretch(below, isWhole ? 0 : rows.length - to);
    // Rows that stay are not touched: the focus, or a selection, may be in one.
    for (const [index, line] of made) {
      if (index >= from && index < to) continue;
      line.remove();
      made.delete(index);
    }
    const kept = Math.min(...made.keys()); // Infinity when there are none
    for (let index = from; index < to; index++) {
      if (made.has(index)) continue;
      const line = makeRow(rows[index], index);
      made.set(index, line);
      (index < kept ? (made.get(kept) ?? below) : below).before(line);
    }
    whole.setAttribute("aria-rowcount", String(rows.length + 2));
    empty.hidden = rows.length > 0;
  }

  scroller.addEventListener("scroll", () => draw(), { passive: true });
  body.addEventListener("click", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const line = /** @type {HTMLElement | null} */ (target.closest("tr[data-row]"));
    if (!line || target.closest("a") || getSelection()?.toString()) return;
    const row = Number(line.dataset.row);
    if (open) open(row);
  });
  addEventListener("beforeprint", () => {
    isWhole = true;
    draw(true);
  });
  addEventListener("afterprint", () => {
    isWhole = false;
    draw(true);
  });
  new ResizeObserver(() => draw()).observe(scroller);
  store.onChange(() => {
    syncFields();
    if (scroller.scrollTop > store.nShown * ROW) scroller.scrollTop = 0;
    draw(true);
  });
  makeHead();
  draw(true);

  /** @param {string} name @param {boolean} isSeen */
  const show = (name, isSeen) => {
    if (isSeen) away.delete(name);
    else away.add(name);
    makeHead();
    draw(true);
  };
  return { node, menu: columnMenu(store, away, show) };
}

/** @param {import("./store.js").Store} store @param {Set<string>} away @param {(name: string, isSeen: boolean) => void} show */
function columnMenu(store, away, show) {
  const boxes = store.columns.map((column) => {
    const box = el("input", { type: "checkbox", "data-column": column.name });
    box.checked = !away.has(column.name);
    box.addEventListener("change", () => show(column.name, box.checked));
    return el("label", {}, box, el("span", { text: column.label }));
  });
  const menu = el("details", { class: "menu" }, el("summary", {}, "Columns"), el("div", { class: "choices" }, boxes));
  closeOutside(menu);
  return menu;
}

/** @param {HTMLDetailsElement} menu */
export function closeOutside(menu) {
  document.addEventListener("click", (event) => {
    if (menu.open && !menu.contains(/** @type {Node} */ (event.target))) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
}

const ruler = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));

/** A width in pixels that fits most of a column's values. @param {Column} column @param {Cell[]} values */
function widthOf(column, values) {
  const family = getComputedStyle(document.body).fontFamily;
  const measure = (/** @type {string} */ text, /** @type {string} */ font) => {
    ruler.font = `${font} ${family}`;
    return ruler.measureText(text).width;
  };
  const step = Math.max(1, Math.floor(values.length / 60));
  const widths = [];
  for (let i = 0; i < values.length; i += step) widths.push(measure(cell(values[i], column.name), "14.4px"));
  widths.sort((a, b) => a - b);
  const isState = unitOf(column.name) === "status";
  const typical = widths[Math.floor(widths.length * (isState ? 1 : 0.95))] ?? widths.at(-1) ?? 0;
  const least = column.kind === "number" ? 96 : 84;
  const name = Math.min(measure(column.short ?? column.label, "600 14.1px"), 200) + 46 + (column.role === "result" ? 20 : 0);
  return Math.ceil(Math.min(300, Math.max(least, (isState ? 52 : 30) + typical, name)));
}

/**
 * A small table that is there as a whole.
 *
 * @param {string} label
 * @param {string[]} header
 * @param {(import("./dom.js").Child)[][]} rows
 * @param {Set<number>} [numbers] columns whose values are aligned to the right
 */
export function plainTable(label, header, rows, numbers = new Set()) {
  const names = header.map((name, index) => el("th", { scope: "col", class: numbers.has(index) ? "n" : "", text: name }));
  const lines = rows.map((cells) => el("tr", {}, cells.map((one, index) => (index ? el("td", { class: numbers.has(index) ? "n" : "" }, one) : el("th", { scope: "row" }, one)))));
  return el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": `Table: ${label}` }, el("table", { class: "plain" }, el("thead", {}, el("tr", {}, names)), el("tbody", {}, lines)));
}
