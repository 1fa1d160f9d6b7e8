// Parallel coordinates: one line for each job, from its settings to its results; drag along an axis to filter.
import { filterOf, HEIGHT, labels, lineOf, placeOf, spanOf, TOP } from "./axes.js";
import { colour, ramp } from "./colours.js";
import { el, shown } from "./dom.js";
import { cell } from "./format.js";
import { fitted, lazily, tooltip } from "./frame.js";
import { known } from "./states.js";

const LEAST_GAP = 118;
const EDGE = 60; // pixels, beside the first and the last axis
const LONGEST = 104;
const LINES = 1000;
const GRIP = 32; // pixels around an axis; the style sheet says the same
const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif';

/**
 * @param {import("./sweep.js").View} view
 * @param {() => Column[]} columns
 * @returns {import("./frame.js").Drawn & { node: HTMLElement }}
 */
export function parallel(view, columns) {
  const { store } = view;
  const canvas = el("canvas", { role: "img", "aria-label": "Parallel coordinates of settings and results; the fields above the table filter the same way" });
  const over = el("canvas", { class: "over", "aria-hidden": "true" });
  const grips = el("div", { "aria-hidden": "true" });
  const inner = el("div", { class: "parallel-inner" }, canvas, over, grips);
  const note = el("p", { class: "hint" });
  const scroller = el("div", { class: "parallel", tabindex: "0", role: "region", "aria-label": "Parallel coordinates" }, inner);
  const node = el("div", {}, scroller, note);
  /** @type {import("./axes.js").Line[]} */
  let lines = [];
  let [gap, left] = [LEAST_GAP, EDGE];
  /** @type {number[]} */
  let drawn = [];

  const xOf = (/** @type {number} */ index) => left + index * gap;
  /** @param {import("./axes.js").Line} line @param {number} row */
  const yOf = (line, row) => placeOf(line, store.values[line.column.name][row]);

  const { old, remove } = lazily(scroller, (width) => {
    lines = columns().map((column) => lineOf(column, store.values[column.name]));
    const n = Math.max(lines.length - 1, 1);
    const context = contextOf(canvas);
    context.font = FONT;
    const widest = lines.length ? Math.max(0, ...labels(lines[0]).map(([text]) => context.measureText(shown(text)).width)) : 0;
    left = Math.max(EDGE, Math.min(Math.ceil(widest), LONGEST) + 14);
    const inside = Math.max(width, left + EDGE + n * LEAST_GAP);
    gap = (inside - left - EDGE) / n;
    for (const one of [canvas, over]) {
      one.width = inside * devicePixelRatio;
      one.height = HEIGHT * devicePixelRatio;
      one.style.width = `${inside}px`;
      one.style.height = `${HEIGHT}px`;
    }
    inner.style.width = `${inside}px`;
    grips.replaceChildren(...lines.map((_, index) => gripAt(xOf(index))));
    contextOf(canvas); // another size has undone its settings
    context.lineJoin = "round";
    drawn = chosen(view.ranked().filter((row) => store.passes[row]));
    note.textContent = drawn.length < store.nShown ? `${drawn.length.toLocaleString("en")} of ${store.nShown.toLocaleString("en")} jobs are drawn: the best, and a sample of the others.` : "";
    if (store.nShown < store.size) {
      const hidden = sample(Array.from(store.order).filter((row) => !store.passes[row]), 300);
      stroke(context, hidden, colour("ghost"), 0.5, 1);
    }
    draw(context);
    axes(context);
  });

  /** @param {CanvasRenderingContext2D} context */
  function draw(context) {
    /** @type {Map<string, number[]>} */
    const groups = new Map();
    for (const row of drawn) {
      const share = view.share(row);
      const key = share === null ? colour(known(view.stateOf(row))) : ramp(share);
      const group = groups.get(key);
      if (group) group.push(row);
      else groups.set(key, [row]);
    }
    const alpha = drawn.length > 600 ? 0.45 : drawn.length > 150 ? 0.65 : 0.85;
    for (const [key, rows] of groups) stroke(context, rows, key, alpha, drawn.length > 150 ? 1 : 1.5);
  }

  /** @param {CanvasRenderingContext2D} context @param {number[]} rows @param {string} style @param {number} alpha @param {number} width */
  function stroke(context, rows, style, alpha, width) {
    context.globalAlpha = alpha;
    context.strokeStyle = style;
    context.lineWidth = width;
    context.beginPath();
    for (const row of rows) {
      lines.forEach((line, index) => {
        if (index) context.lineTo(xOf(index), yOf(line, row));
        else context.moveTo(xOf(index), yOf(line, row));
      });
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} context */
  function axes(context) {
    context.font = FONT;
    context.textAlign = "center";
    lines.forEach((line, index) => {
      const x = xOf(index);
      context.strokeStyle = colour("muted");
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(x, TOP);
      context.lineTo(x, line.bottom);
      context.stroke();
      const isResult = line.column.role === "result";
      context.font = isResult ? `600 ${FONT}` : FONT;
      context.fillStyle = colour("text");
      const room = [index ? gap / 2 - 6 : x - 4, index < lines.length - 1 ? gap / 2 - 6 : EDGE - 4]; // to the left, to the right
      const name = fitted(context, line.column.short ?? line.column.label, room[0] + room[1]);
      const half = context.measureText(name).width / 2;
      outlined(context, name, Math.min(Math.max(x, x - room[0] + half), x + room[1] - half), 16);
      context.font = FONT;
      context.fillStyle = colour("muted");
      context.textAlign = "right";
      for (const [text, y] of labels(line)) {
        outlined(context, fitted(context, text, index ? Math.min(gap - 38, LONGEST - 8) : left - 14), x - 7, y + 4);
        context.fillRect(x - 3, y - 0.5, 6, 1);
      }
      context.textAlign = "center";
      const filter = store.columnFilters.get(line.column.name);
      const span = filter && spanOf(line, filter);
      if (span) {
        context.fillStyle = colour("brush");
        context.strokeStyle = colour("accent");
        context.lineWidth = 1.5;
        context.beginPath();
        context.roundRect(x - 8, span[0], 16, Math.max(span[1] - span[0], 3), 3);
        context.fill();
        context.stroke();
      }
    });
  }

  // Brushing, looking and picking: a finger brushes on an axis, and scrolls beside it
  /** @type {{ index: number, from: number, to: number } | null} */
  let brush = null;
  /** @type {number | null} */
  let under = null;
  const at = (/** @type {PointerEvent} */ event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const axisAt = (/** @type {number} */ x) => {
    const index = Math.round((x - left) / gap);
    return index >= 0 && index < lines.length && Math.abs(x - xOf(index)) < GRIP / 2 ? index : -1;
  };
  inner.addEventListener("pointerdown", (event) => {
    const [x, y] = at(event);
    const index = axisAt(x);
    under = index < 0 ? nearestLine(x, y) : null; // a finger comes without having moved before
    if (index < 0 || event.button) return;
    brush = { index, from: y, to: y };
    inner.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  inner.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    const context = contextOf(over);
    context.clearRect(0, 0, over.width, over.height);
    if (brush) {
      brush.to = Math.min(Math.max(y, TOP - 8), HEIGHT - 6);
      context.fillStyle = colour("brush");
      context.strokeStyle = colour("accent");
      context.beginPath();
      context.roundRect(xOf(brush.index) - 8, Math.min(brush.from, brush.to), 16, Math.abs(brush.to - brush.from), 3);
      context.fill();
      context.stroke();
      return;
    }
    under = axisAt(x) >= 0 ? null : nearestLine(x, y);
    over.classList.toggle("pickable", under !== null);
    tooltip(under === null ? null : view.describe(under, lines.map((line) => line.column.name)), event.clientX, event.clientY);
    if (under !== null) stroke(context, [under], colour("text"), 1, 2.5);
  });
  inner.addEventListener("pointerup", () => {
    if (!brush) {
      if (under !== null) view.open(under);
      return;
    }
    const { index, from, to } = brush;
    brush = null;
    contextOf(over).clearRect(0, 0, over.width, over.height);
    const { name } = lines[index].column;
    store.setColumn(name, Math.abs(to - from) < 4 ? null : filterOf(lines[index], store.values[name], Math.min(from, to), Math.max(from, to)));
  });
  inner.addEventListener("pointercancel", () => {
    [brush, under] = [null, null];
    contextOf(over).clearRect(0, 0, over.width, over.height);
  });
  inner.addEventListener("pointerleave", () => {
    tooltip(null);
    if (!brush) contextOf(over).clearRect(0, 0, over.width, over.height);
  });

  /** @param {number} x @param {number} y */
  function nearestLine(x, y) {
    const index = Math.floor((x - left) / gap);
    if (index < 0 || index >= lines.length - 1) return null;
    const share = (x - xOf(index)) / gap;
    let [found, best] = [/** @type {number | null} */ (null), 7];
    for (const row of drawn) {
      const by = Math.abs(yOf(lines[index], row) * (1 - share) + yOf(lines[index + 1], row) * share - y);
      if (by < best) [found, best] = [row, by];
    }
    return found;
  }
  return { node, old, remove };
}

/** What a finger brushes on without scrolling the page. @param {number} x */
function gripAt(x) {
  const grip = el("div", { class: "grip" });
  grip.style.left = `${x - GRIP / 2}px`;
  return grip;
}

/** @param {HTMLCanvasElement} canvas */
function contextOf(canvas) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  return context;
}

/** The best rows and an even sample of the others, the best last. @param {number[]} rows the best last */
function chosen(rows) {
  if (rows.length <= LINES) return rows;
  const nBest = LINES / 5;
  return [...sample(rows.slice(0, -nBest), LINES - nBest), ...rows.slice(-nBest)];
}

/** @template T @param {T[]} items @param {number} size */
function sample(items, size) {
  if (items.length <= size) return items;
  return Array.from({ length: size }, (_, i) => items[Math.floor((i * items.length) / size)]);
}

/** Text that stays readable above lines. @param {CanvasRenderingContext2D} context @param {string} text @param {number} x @param {number} y */
function outlined(context, text, x, y) {
  const style = context.fillStyle;
  const width = context.measureText(text).width;
  const left = context.textAlign === "right" ? x - width : x - width / 2;
  context.globalAlpha = 0.82;
  context.fillStyle = colour("card");
  context.beginPath();
  context.roundRect(left - 3, y - 11, width + 6, 15, 3);
  context.fill();
  context.globalAlpha = 1;
  context.fillStyle = style;
  context.fillText(text, x, y);
}

/** @param {number} row @param {import("./store.js").Store} store @param {string[]} names @returns {[string, string][]} */
export function cellsOf(row, store, names) {
  return names.map((name) => {
    const column = store.columns.find((one) => one.name === name);
    return [column?.label ?? name, cell(store.values[name]?.[row], name) || "none"];
  });
}
