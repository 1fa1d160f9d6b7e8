// Numbers to take away.
import { copy, el, say } from "./dom.js";

/** @typedef {{ header: string[], rows: unknown[][] }} Table */

/**
 * One value of a CSV file. A text that a spreadsheet would run as a formula gets a quote before it.
 *
 * @param {unknown} value
 */
function field(value) {
  if (value == null) return "";
  if (typeof value === "number") return String(value);
  let text = typeof value === "object" ? JSON.stringify(value) : String(value);
  if (/^[=+\-@\t\r]/.test(text) && text !== "-inf" && Number.isNaN(Number(text))) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @param {Table} table */
export function csv({ header, rows }) {
  return `${[header, ...rows].map((row) => row.map(field).join(",")).join("\n")}\n`;
}

/**
 * Buttons that copy or save the numbers of a chart.
 *
 * @param {string} name of the file, without its ending
 * @param {() => Table} make
 */
export function csvButtons(name, make) {
  const save = () => {
    const address = URL.createObjectURL(new Blob([csv(make())], { type: "text/csv" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = `${name.replace(/[^\w.-]+/g, "_").slice(0, 80)}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
    say("Saved");
  };
  const label = name.replaceAll("_", " ");
  return el(
    "span",
    { class: "csv" },
    el("button", { type: "button", class: "quiet", "aria-label": `Copy CSV: ${label}`, onclick: () => copy(csv(make())) }, "Copy CSV"),
    el("button", { type: "button", class: "quiet", "aria-label": `Save CSV: ${label}`, onclick: save }, "Save CSV"),
  );
}
