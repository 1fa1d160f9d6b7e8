// The axes of parallel coordinates: where a value stands on one, and which filter a stretch of it is.
import { unitOf } from "./format.js";
import { tickText } from "./frame.js";
import { apart, axisOf, logTicks, secondTicks, ticks } from "./scales.js";

export const HEIGHT = 340;
export const TOP = 40;

/**
 * @typedef {object} Line one axis
 * @property {Column} column
 * @property {import("./scales.js").Axis} axis
 * @property {Map<Cell, number>} places of the values of a category
 * @property {number} bottom
 * @property {boolean} hasNone
 */

/** @param {Column} column @param {Cell[]} values @returns {Line} */
export function lineOf(column, values) {
  const hasNone = values.some((value) => (column.kind === "number" ? typeof value !== "number" : value == null));
  const bottom = hasNone ? HEIGHT - 40 : HEIGHT - 16;
  /** @type {Map<Cell, number>} */
  const places = new Map();
  if (column.kind === "number") {
    const axis = axisOf(values, column.label, { isLog: column.is_log, unit: unitOf(column.name), room: 0, isSetting: column.role === "override" });
    return { column, axis: axis.kind === "number" && unitOf(column.name) === "s" ? { ...axis, kind: "seconds" } : axis, places, bottom, hasNone };
  }
  const names = [...new Set(values.filter((value) => value != null))].sort((a, b) => String(a).localeCompare(String(b), "en", { numeric: true }));
  names.forEach((name, index) => places.set(name, index));
  return { column, axis: { kind: "category", low: -0.5, high: names.length - 0.5, label: column.label, names: names.map(String) }, places, bottom, hasNone };
}

/** @param {Line} line @param {Cell} value */
export function placeOf({ axis, places, bottom }, value) {
  let share;
  if (value == null) return HEIGHT - 14;
  if (axis.kind === "category") share = ((places.get(value) ?? 0) + 0.5) / Math.max(places.size, 1);
  else if (typeof value !== "number") return HEIGHT - 14;
  else if (axis.kind === "log") share = Math.log(value / axis.low) / Math.log(axis.high / axis.low);
  else share = axis.high > axis.low ? (value - axis.low) / (axis.high - axis.low) : 0.5;
  return bottom - share * (bottom - TOP);
}

/** @param {Line} line @returns {[string, number][]} */
export function labels(line) {
  const { axis } = line;
  const none = /** @type {[string, number][]} */ (line.hasNone ? [["none", HEIGHT - 14]] : []);
  if (axis.kind === "category") {
    const every = Math.ceil(line.places.size / 16);
    return [...[...line.places.keys()].filter((_, i) => i % every === 0).map((value) => /** @type {[string, number]} */ ([String(value), placeOf(line, value)])), ...none];
  }
  if (axis.at) return [...apart(axis.at, (value) => placeOf(line, value), () => 15).map((value) => /** @type {[string, number]} */ ([tickText(axis, value), placeOf(line, value)])), ...none];
  const find = axis.kind === "log" ? logTicks : axis.kind === "seconds" ? secondTicks : ticks;
  return [...find(axis.low, axis.high, 6).map((value) => /** @type {[string, number]} */ ([tickText(axis, value), placeOf(line, value)])), ...none];
}

/**
 * @param {Line} line
 * @param {Cell[]} values
 * @param {number} top
 * @param {number} bottom
 * @returns {import("./language.js").ColumnFilter | null} null where there is no value
 */
export function filterOf(line, values, top, bottom) {
  const within = values.filter((value) => {
    const y = placeOf(line, value);
    return y >= top && y <= bottom;
  });
  if (within.length === 0) return null;
  const numbers = within.filter((value) => typeof value === "number");
  if (line.axis.kind === "category" || numbers.length === 0) return { kind: "set", values: [...new Set(within)] };
  return { kind: "range", low: numbers.reduce((a, b) => Math.min(a, b)), high: numbers.reduce((a, b) => Math.max(a, b)) };
}

/** @param {Line} line @param {import("./language.js").ColumnFilter} filter @returns {[number, number] | null} */
export function spanOf(line, filter) {
  if (filter.kind === "range" && line.axis.kind !== "category") {
    const [low, high] = [Math.max(filter.low, line.axis.low), Math.min(filter.high, line.axis.high)];
    return [placeOf(line, high), placeOf(line, low)];
  }
  if (filter.kind === "set" && filter.values.length) {
    const places = filter.values.map((value) => placeOf(line, value));
    return [Math.min(...places) - 9, Math.max(...places) + 9];
  }
  return null;
}
