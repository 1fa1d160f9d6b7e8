// A result against one setting: points for numbers, boxes for categories.
import { colour } from "./colours.js";
import { frame } from "./frame.js";
import { unitOf } from "./format.js";
import { bar, drawMarks, nearest, sign } from "./marks.js";
import { axisOf, box } from "./scales.js";
import { known } from "./states.js";

const MOST_BOXES = 24;

/**
 * @param {import("./sweep.js").View} view
 * @param {Column} setting
 * @param {() => Column} metric
 */
export function against(view, setting, metric) {
  const { store } = view;
  const values = store.values[setting.name];
  const names = setting.kind === "number" ? null : namesOf(values);
  const placeOf = names ? new Map(names.map((name, index) => [name, index])) : null;
  /** @type {{ row: number, x: number, y: number }[]} */
  let places = [];
  const chart = frame({
    height: 244,
    label: `${metric().label} against ${setting.label}`,
    x: () =>
      names
        ? { kind: "category", low: -0.5, high: names.length - 0.5, names: names.map((name) => (name == null ? "none" : String(name))), label: "" }
        : axisOf(values, "", { isLog: setting.is_log, unit: unitOf(setting.name), isSetting: true }),
    y: () => axisOf(store.values[metric().name], metric().label, { isLog: metric().is_log, unit: unitOf(metric().name), room: 0.08 }),
    draw: (drawing) => {
      const { context } = drawing;
      const results = store.values[metric().name];
      places = [];
      const without = [];
      for (let row = 0; row < store.size; row++) {
        const value = values[row];
        const at = placeOf ? placeOf.get(value) : typeof value === "number" ? value : undefined;
        if (at === undefined) continue;
        const x = drawing.x(at + (placeOf ? jitter(row) * 0.44 : 0));
        const result = results[row];
        if (typeof result === "number") places.push({ row, x, y: drawing.y(result) });
        else without.push({ row, x, y: drawing.top + drawing.height - 6 });
      }
      drawMarks(context, places, view.stateOf, store.passes);
      drawMarks(context, without, view.stateOf, store.passes);
      places.push(...without);
      if (names) boxes(drawing, names, values, results, store.passes);
      else medians(drawing, values, results, store.passes);
      const best = view.best();
      const ring = best === null ? undefined : places.find((place) => place.row === best);
      if (ring && best !== null && store.passes[best]) {
        context.strokeStyle = colour("text");
        context.lineWidth = 1.5;
        context.beginPath();
        context.arc(ring.x, ring.y, 7, 0, 7);
        context.stroke();
      }
    },
    hit: (x, y) => {
      const place = nearest(places.filter(({ row }) => store.passes[row]), x, y);
      return place && { lines: view.describe(place.row, [setting.name, metric().name]), pick: () => view.open(place.row) };
    },
  });
  const table = () => ({
    header: [store.columns[0].label, setting.label, metric().label, "status"],
    rows: Array.from(store.shownRows, (row) => [store.values[store.columns[0].name][row], values[row], store.values[metric().name][row], view.stateOf(row)]),
  });
  return { ...chart, table, isCut: Boolean(names && new Set(values).size > names.length) };
}

/** The most frequent values, in order. @param {Cell[]} values */
function namesOf(values) {
  /** @type {Map<Cell, number>} */
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const most = [...counts].sort((a, b) => b[1] - a[1]).slice(0, MOST_BOXES).map(([value]) => value);
  return most.sort((a, b) => Number(a == null) - Number(b == null) || String(a).localeCompare(String(b), "en", { numeric: true }));
}

/** The same shift for the same row, between -0.5 and 0.5. @param {number} row */
function jitter(row) {
  return ((row * 0.6180339887) % 1) - 0.5;
}

/** @param {import("./frame.js").Drawing} drawing @param {Cell[]} names @param {Cell[]} values @param {Cell[]} results @param {Uint8Array} passes */
function boxes({ context, x, y }, names, values, results, passes) {
  /** @type {Map<Cell, number[]>} */
  const groups = new Map();
  values.forEach((value, row) => {
    const result = results[row];
    if (typeof result !== "number" || !passes[row]) return;
    const group = groups.get(value);
    if (group) group.push(result);
    else groups.set(value, [result]);
  });
  names.forEach((name, index) => {
    const group = groups.get(name)?.sort((a, b) => a - b);
    if (!group || group.length < 4) return;
    const { q1, median, q3, low, high } = box(group);
    const half = Math.min(28, Math.abs(x(1) - x(0)) * 0.32);
    const middle = x(index);
    context.strokeStyle = colour("text");
    context.fillStyle = colour("box");
    context.lineWidth = 1.2;
    context.fillRect(middle - half, y(q3), half * 2, y(q1) - y(q3));
    context.strokeRect(middle - half, y(q3), half * 2, y(q1) - y(q3));
    context.beginPath();
    context.moveTo(middle, y(q3));
    context.lineTo(middle, y(high));
    context.moveTo(middle, y(q1));
    context.lineTo(middle, y(low));
    context.stroke();
    context.lineWidth = 2.5;
    context.beginPath();
    context.moveTo(middle - half, y(median));
    context.lineTo(middle + half, y(median));
    context.stroke();
  });
}

/** A line through the medians, where each value has several jobs. @param {import("./frame.js").Drawing} drawing @param {Cell[]} values @param {Cell[]} results @param {Uint8Array} passes */
function medians({ context, x, y }, values, results, passes) {
  /** @type {Map<number, number[]>} */
  const groups = new Map();
  values.forEach((value, row) => {
    const result = results[row];
    if (typeof value !== "number" || typeof result !== "number" || !passes[row]) return;
    const group = groups.get(value);
    if (group) group.push(result);
    else groups.set(value, [result]);
  });
  const total = [...groups.values()].reduce((sum, group) => sum + group.length, 0);
  if (groups.size < 2 || groups.size > 30 || total < groups.size * 3) return;
  context.strokeStyle = colour("muted");
  context.lineWidth = 1.5;
  context.beginPath();
  [...groups].sort((a, b) => a[0] - b[0]).forEach(([value, group], index) => {
    const middle = box(group.sort((a, b) => a - b)).median;
    if (index) context.lineTo(x(value), y(middle));
    else context.moveTo(x(value), y(middle));
  });
  context.stroke();
}

/**
 * A figure of each job, by its number.
 *
 * @param {import("./sweep.js").View} view
 * @param {{ name: string, label: string, unit: string, values: (number | null)[], nums: (number | null)[] }} figure
 */
export function byJob(view, { name, label, unit, values, nums }) {
  const { store } = view;
  /** @type {{ row: number, x: number, y: number }[]} */
  let places = [];
  const numOf = (/** @type {number} */ row) => nums[row] ?? row;
  const chart = frame({
    height: 220,
    label: `${label} of each job`,
    x: () => {
      const all = Array.from({ length: store.size }, (_, row) => numOf(row));
      const axis = axisOf(all, "job", { room: 0 });
      return { ...axis, low: axis.low - 0.7, high: axis.high + 0.7, isCount: true };
    },
    y: () => {
      const axis = axisOf(values, "", { fromZero: true, unit, room: 0.08 });
      return unit === "s" ? { ...axis, kind: "seconds" } : axis;
    },
    draw: (drawing) => {
      const { context, x, y } = drawing;
      const width = Math.abs(x(1) - x(0));
      places = [];
      values.forEach((value, row) => {
        if (value != null) places.push({ row, x: x(numOf(row)), y: y(value) });
      });
      if (width < 3) {
        drawMarks(context, places, view.stateOf, store.passes);
        return;
      }
      const thick = Math.min(width * 0.72, 18);
      for (const { row, x: middle, y: top } of places) {
        const state = known(view.stateOf(row));
        context.globalAlpha = store.passes[row] ? 0.85 : 0.5;
        bar(context, store.passes[row] ? state : "ghost", middle - thick / 2, top, thick, Math.max(y(0) - top, 1));
        context.globalAlpha = 1;
        if (store.passes[row] && state !== "completed" && thick > 4) {
          context.fillStyle = context.strokeStyle = colour(state);
          sign(context, state, middle, top - 7, Math.min(thick, 8));
        }
      }
    },
    hit: (x, y, drawing) => {
      const width = Math.abs(drawing.x(1) - drawing.x(0));
      const seen = places.filter(({ row }) => store.passes[row]);
      const place = width < 3 ? nearest(seen, x, y) : (seen.find((one) => Math.abs(one.x - x) <= width / 2 && y >= one.y - 12) ?? null);
      return place && { lines: view.describe(place.row, [name]), pick: () => view.open(place.row) };
    },
  });
  const table = () => ({ header: ["num", "status", name], rows: Array.from(store.shownRows, (row) => [nums[row], view.stateOf(row), values[row]]) });
  return { ...chart, table };
}
