// The filter above a table: what is looked for, how many rows fit, and what else narrows them.
import { el, fill } from "./dom.js";
import { count, measureOf } from "./format.js";
import { columnWords } from "./language.js";

/** @param {import("./store.js").Store} store @param {string} word what a row is */
export function filterBar(store, word) {
  const field = el("input", { type: "search", id: "query", autocomplete: "off", spellcheck: "false", placeholder: "words, or: lr < 0.1 and status = completed", "aria-describedby": "query-said" });
  const said = el("p", { id: "query-said", class: "complaint", role: "status" });
  const shown = el("p", { class: "count", role: "status" });
  const chips = el("ul", { class: "chips", "aria-label": "Filters in use" });
  const clear = el("button", { type: "button", class: "quiet", hidden: true, onclick: () => {
    field.value = "";
    store.clear();
  } }, "Clear all");
  field.addEventListener("input", () => store.setQuery(field.value));

  function tell() {
    const labelled = (/** @type {string} */ name) => store.columns.find((column) => column.name === name)?.label ?? name;
    said.textContent = [store.complaint, ...[...store.columnComplaints].map(([name, why]) => `${labelled(name)}: ${why}`)].filter(Boolean).join("; ");
    shown.textContent = store.nShown === store.size ? count(store.size, word) : `${store.nShown.toLocaleString("en")} of ${count(store.size, word)}`;
    clear.hidden = !store.isFiltered;
    const items = [...store.columnFilters].map(([name, filter]) => chip(`${labelled(name)}: ${columnWords(filter, measureOf(name))}`, () => store.setColumn(name, null)));
    if (store.only) items.push(chip(store.only.label, () => store.setOnly(null)));
    fill(chips, items);
    chips.hidden = items.length === 0;
  }
  store.onChange(tell);
  tell();
  const node = el("div", { class: "filterbar", role: "search" }, el("label", { for: "query" }, "Filter"), field, shown, clear, chips, said);
  return { node };
}

/** @param {string} label @param {() => void} remove */
function chip(label, remove) {
  return el("li", {}, el("button", { type: "button", class: "chip", "aria-label": `Remove the filter ${label}`, onclick: remove }, el("span", { text: label }), el("span", { "aria-hidden": "true" }, " \u00d7")));
}
