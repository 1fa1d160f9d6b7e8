// Horizontal bars made of elements: readable by everybody, sharp on paper.
import { el } from "./dom.js";

/**
 * @param {string} label
 * @param {{ name: string, value: number, text: string, kind?: string }[]} items
 * @param {number} [whole] what a full bar stands for; the greatest value when it is not told
 */
export function bars(label, items, whole) {
  const most = whole || Math.max(...items.map((item) => Math.abs(item.value)), 0) || 1;
  return el(
    "ul",
    { class: "bars", "aria-label": label },
    items.map((item) => {
      const bar = el("span", { class: `bar ${item.kind ?? ""}` });
      bar.style.width = `${Math.max((Math.abs(item.value) / most) * 100, item.value ? 0.5 : 0)}%`;
      return el("li", {}, el("span", { class: "bar-name", title: item.name, text: item.name }), el("span", { class: "bar-track", "aria-hidden": "true" }, bar), el("span", { class: "bar-value", text: item.text }));
    }),
  );
}
