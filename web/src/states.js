// How each state looks: a colour that colour-blind readers can tell from the others, and a form of its own.
import { el, icon } from "./dom.js";

/** Paths in a box from -8 to 8; those of FILLED are filled, the others drawn. @type {Record<string, string>} */
export const FORMS = {
  completed: "M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0z",
  failed: "M-4.5,-4.5L4.5,4.5M-4.5,4.5L4.5,-4.5",
  interrupted: "M-4.5,-4.5h9v9h-9z",
  running: "M-4,-5.5L5.5,0L-4,5.5z",
  lost: "M0,-6L6,0L0,6L-6,0z",
  pending: "M-5,0h10",
  missing: "M-4.5,0a4.5,4.5 0 1,0 9,0a4.5,4.5 0 1,0 -9,0z",
  unknown: "M0,-5.5V5.5M-5.5,0H5.5",
};
export const FILLED = new Set(["completed", "interrupted", "running", "lost"]);

/** States in the order in which they are told. */
export const STATES = Object.keys(FORMS);

/** @param {string | null | undefined} status */
export function known(status) {
  if (status === "stopped") return "interrupted"; // of a sweep
  if (status === "died" || status === "killed") return "lost";
  return status && Object.hasOwn(FORMS, status) ? status : "unknown";
}

/** @param {string} status */
export function stateIcon(status) {
  const state = known(status);
  return icon(FORMS[state], `state-${state} ${FILLED.has(state) ? "filled" : "drawn"}`);
}

/** A state as an icon and a word. @param {string} status */
export function stateLabel(status) {
  return el("span", { class: "state" }, stateIcon(status), el("span", { text: status }));
}

/**
 * Counts by state as one bar and its legend.
 *
 * @param {Record<string, number>} counts
 * @param {(state: string) => void} [onPick] makes the legend's entries buttons
 */
export function stateBar(counts, onPick) {
  const states = [...STATES, ...Object.keys(counts).filter((state) => !STATES.includes(state))].filter((state) => counts[state]);
  const total = states.reduce((sum, state) => sum + counts[state], 0) || 1;
  const bar = el("div", { class: "statebar", "aria-hidden": "true" });
  const legend = el("ul", { class: "statelegend" });
  for (const state of states) {
    const part = el("span", { class: `fill-${known(state)}` });
    part.style.flexGrow = String(counts[state] / total);
    bar.append(part);
    const words = [stateIcon(state), el("b", { text: counts[state].toLocaleString("en") }), el("span", { text: state })];
    const entry = onPick
      ? el("button", { type: "button", class: "quiet", onclick: () => onPick(state), title: `Show only ${state}` }, ...words)
      : el("span", { class: "state" }, ...words);
    legend.append(el("li", {}, entry));
  }
  return el("div", {}, bar, legend);
}
