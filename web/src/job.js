// One job of a sweep, or one run of a register, in a panel at the side.
import { copyable, copyButton, el, fill } from "./dom.js";
import { cell, unitOf, zoned } from "./format.js";
import { stateLabel } from "./states.js";

/** Why there is no traceback. @param {string} status of a job that failed */
export function withoutTraceback(status) {
  return status === "lost" ? "A process that is killed leaves no traceback." : "No traceback is in this page; there may be one in the job's directory.";
}

/**
 * @param {import("./store.js").Store} store
 * @param {{ title: (row: number) => string, status: (row: number) => string, dir: (row: number) => string | null, words?: (row: number) => string | null, path: (row: number) => string | null, failure: (row: number) => Failure | null, link?: (row: number) => string | null, more?: (row: number) => [string, string][] }} facts
 */
export function jobPanel(store, facts) {
  const title = el("h2", { id: "job-title" });
  const state = el("span");
  const previous = el("button", { type: "button", "aria-label": "Previous", onclick: () => step(-1) }, "\u2190");
  const next = el("button", { type: "button", "aria-label": "Next", onclick: () => step(1) }, "\u2192");
  const close = el("button", { type: "button", "aria-label": "Close", onclick: () => dialog.close() }, "\u00d7");
  const head = el("div", { class: "panel-head" }, title, state, el("span", { class: "steps" }, previous, next, close));
  const inside = el("div", { class: "panel-inside" });
  const dialog = el("dialog", { class: "panel", "aria-labelledby": "job-title" }, head, inside);
  document.body.append(dialog);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  let row = 0;
  const step = (/** @type {number} */ by) => {
    const rows = store.shownRows;
    const other = rows[rows.indexOf(row) + by];
    if (other === undefined) return;
    open(other);
    const button = by > 0 ? next : previous; // the keys work where the focus is: it must not go with what is replaced
    if (document.activeElement !== button || button.disabled) (button.disabled ? close : button).focus();
  };
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight" || event.key === "ArrowLeft") step(event.key === "ArrowRight" ? 1 : -1);
  });

  /** @param {"override" | "config" | "result"} role @param {string} title */
  function group(role, title) {
    const columns = store.columns.filter((column) => column.role === role && store.values[column.name][row] != null);
    if (!columns.length) return null;
    const words = role === "override" ? facts.words?.(row) : undefined;
    return el(
      "div",
      { class: "facts-group" },
      el("div", { class: "head" }, el("h3", { text: title }), words ? copyButton(words, title.toLowerCase()) : null),
      words === null ? el("p", { class: "hint", text: whyNotPasted(columns.map((column) => store.values[column.name][row])) }) : null,
      el("dl", { class: "facts" }, columns.flatMap((column) => pair(column.label, inFull(store.values[column.name][row], column.name)))),
    );
  }

  /** @param {number} which */
  function open(which) {
    row = which;
    const failure = facts.failure(row);
    const dir = facts.dir(row);
    const path = facts.path(row);
    const place = store.shownRows.indexOf(row);
    const tail = store.columns.filter((column) => (column.role === "tail" || column.role === "head") && store.values[column.name][row] != null && column.name !== "" && column.name !== store.status && column.name !== "run-dir" && !(failure && column.name === "run-error"));
    fill(title, facts.title(row));
    fill(state, stateLabel(facts.status(row)));
    previous.disabled = place <= 0;
    next.disabled = place < 0 || place >= store.nShown - 1;
    fill(
      inside,
      failure
        ? el(
            "div",
            { class: "trouble" },
            el("p", {}, el("b", { text: failure.type }), failure.message ? ": " : "", el("span", { text: failure.message })),
            failure.traceback ? el("pre", { class: "code", tabindex: "0", "aria-label": "Traceback", text: failure.traceback }) : el("p", { class: "hint", text: withoutTraceback(facts.status(row)) }),
            failure.traceback && failure.count > 1 ? el("p", { class: "hint", text: `The traceback is from one of the ${failure.count} jobs that ended this way.` }) : null,
          )
        : null,
      group("override", "Overrides"),
      group("config", "Settings"),
      group("result", "Results"),
      el("div", { class: "facts-group" }, el("h3", {}, "More"), el("dl", { class: "facts" }, tail.flatMap((column) => pair(column.label, inFull(store.values[column.name][row], column.name))), (facts.more?.(row) ?? []).flatMap(([name, value]) => pair(name, value)))),
      facts.link?.(row) ? el("p", {}, el("a", { href: facts.link(row), text: /\.html?$/.test(facts.link(row) ?? "") ? "Its report" : "Its directory" })) : null,
      path ? el("div", { class: "facts-group" }, el("h3", {}, "Reproduce"), copyable(`hydra-callbacks reproduce ${shellWord(path)}`, "the command: reproduce")) : null,
      path || dir ? el("div", { class: "facts-group" }, el("h3", {}, "Directory"), path ? copyable(path, "the directory") : el("p", {}, el("code", { text: dir }))) : null,
    );
    if (!dialog.open) dialog.showModal();
  }
  return open;
}

/** @param {string} name @param {string} value */
export function pair(name, value) {
  return [el("dt", { text: name }), el("dd", { text: value })];
}

/** A word as a shell takes it, as `support.texts.as_words` writes it. @param {string} word */
export function shellWord(word) {
  if (word.includes("'") && !/["$`\\!]/.test(word)) return `"${word}"`;
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * Why there are no overrides to paste: Python leaves them out where they hold a secret, or are too long.
 *
 * @param {Cell[]} values
 * @param {boolean} [canBeWhole] whether they are nothing of the kind as long as no value says so; then ""
 */
export function whyNotPasted(values, canBeWhole = false) {
  const texts = values.map(String);
  if (texts.some((text) => text.includes("<redacted>"))) return "Not to be copied: a secret in them is left out.";
  const place = ".hydra/overrides.yaml in the job's directory has all of them.";
  return canBeWhole && !texts.some(isCut) ? "" : `Not to be copied, as they are too long for this page; ${place}`;
}

/** Whether a text is longer than what stands here, as `report.head.cut` says. @param {string} text */
export function isCut(text) {
  return /\u2026 \([\d,]+ characters\)$/.test(text);
}

/** In full where a table would round, or leave out the time zone. @param {Cell} value @param {string} name */
function inFull(value, name) {
  if (typeof value === "string" && unitOf(name) === "time") return zoned(value);
  return typeof value === "number" && unitOf(name) === "" ? String(value) : cell(value, name);
}
