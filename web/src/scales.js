// Where ticks stand, and how far an axis reaches.

/** @typedef {{ kind: "number" | "log" | "seconds" | "category", low: number, high: number, label: string, names?: string[], unit?: string, at?: number[], isCount?: boolean, canSkip?: boolean }} Axis */

const SAME = 1e-12; // of the greater: two numbers as near as that are one, to the eye and to the steps between ticks
const MOST_TICKS = 50;

/** The least and the greatest number; null where there is none. @param {Iterable<Cell | undefined>} values */
export function extent(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (typeof value !== "number") continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? /** @type {[number, number]} */ ([low, high]) : null;
}

/** The values themselves, where they are so few that each deserves a tick. @param {Iterable<Cell | undefined>} values */
function fewValues(values) {
  /** @type {Set<number>} */
  const found = new Set();
  for (const value of values) {
    if (typeof value === "number") found.add(value);
    if (found.size > 12) return undefined;
  }
  return found.size > 1 ? [...found].sort((a, b) => a - b) : undefined;
}

/**
 * An axis for these values, with some room at both ends.
 *
 * @param {Iterable<Cell | undefined>} values
 * @param {string} label
 * @param {{ isLog?: boolean, fromZero?: boolean, unit?: string, room?: number, isSetting?: boolean }} [how]
 * @returns {Axis}
 */
export function axisOf(values, label, { isLog = false, fromZero = false, unit, room = 0.05, isSetting = false } = {}) {
  const at = isSetting ? fewValues(values) : undefined;
  const found = extent(values) ?? [0, 1];
  let [low, high] = found;
  if (high - low <= SAME * Math.max(Math.abs(low), Math.abs(high))) high = low;
  if (isLog && low > 0) {
    const by = Math.max((high / low) ** room, 1.05);
    return { kind: "log", low: low / by, high: high * by, label, unit, at };
  }
  if (fromZero) low = Math.min(0, low);
  const span = high - low || Math.abs(high) || 1;
  const most = Number.MAX_VALUE;
  return {
    kind: "number",
    low: fromZero && low === 0 ? 0 : Math.max(low - span * room, -most),
    high: Math.min(high + span * room, most),
    label,
    unit,
    at,
  };
}

/** Round numbers from low to high. @param {number} low @param {number} high @param {number} n about how many */
export function ticks(low, high, n) {
  if (!(high > low && Number.isFinite(high - low))) return [low, high].filter((value, index) => Number.isFinite(value) && value !== [low, high][index - 1]);
  const raw = (high - low) / Math.max(1, n);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((part) => part * power).find((one) => one >= raw * 0.999) ?? raw;
  return multiples(low, high, step).map((value) => Number(value.toPrecision(12)));
}

/** What is so many times a step, from low to high. @param {number} low @param {number} high @param {number} step @returns {number[]} */
function multiples(low, high, step) {
  const first = Math.ceil(low / step - 1e-9);
  const n = Math.floor(high / step + 1e-9) - first + 1; // counted here: of large numbers, one more may be the same
  return n > 0 && n <= MOST_TICKS ? Array.from({ length: n }, (_, index) => (first + index) * step) : low === high ? [low] : [low, high];
}

/** Round sizes: so many KiB, MiB or GiB. @param {number} low @param {number} high @param {number} n */
export function byteTicks(low, high, n) {
  const unit = 1024 ** Math.max(0, Math.floor(Math.log2(Math.max(Math.abs(low), Math.abs(high), 1)) / 10));
  return ticks(low / unit, high / unit, n).map((value) => value * unit);
}

/** Powers of ten, or 1, 2 and 5 of each, or round numbers: what suits the span. @param {number} low @param {number} high @param {number} n */
export function logTicks(low, high, n) {
  const decades = Math.log10(high / low);
  if (decades < 0.7) return ticks(low, high, n);
  const parts = decades < n / 3 ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil(decades / Math.max(n, 1)));
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    if (power % every) continue;
    for (const part of parts) {
      const value = Number(`${part}e${power}`);
      if (value >= low && value <= high) found.push(value);
    }
  }
  return found;
}

/** Round spans of time. @param {number} low @param {number} high @param {number} n */
export function secondTicks(low, high, n) {
  const raw = (high - low) / Math.max(1, n);
  if (raw < 1) return ticks(low, high, n);
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400].find((one) => one >= raw);
  if (!step) return ticks(low / 86400, high / 86400, n).map((day) => day * 86400);
  return multiples(low, high, step);
}

/**
 * Those of some ticks that do not touch the one before.
 *
 * @param {number[]} at
 * @param {(value: number) => number} place in pixels
 * @param {(value: number) => number} size of its text, in pixels
 */
export function apart(at, place, size) {
  let [last, lastSize] = [Number.NaN, 0];
  return at.filter((value) => {
    const [here, own] = [place(value), size(value)];
    if (Math.abs(here - last) < (lastSize + own) / 2) return false;
    [last, lastSize] = [here, own];
    return true;
  });
}

/** Quartiles and whiskers (1.5 times the distance of the quartiles, after Tukey). @param {number[]} values sorted */
export function box(values) {
  const at = (/** @type {number} */ share) => {
    const place = (values.length - 1) * share;
    const low = Math.floor(place);
    return values[low] + (values[Math.min(low + 1, values.length - 1)] - values[low]) * (place - low);
  };
  const [q1, median, q3] = [at(0.25), at(0.5), at(0.75)];
  const reach = 1.5 * (q3 - q1);
  return {
    q1,
    median,
    q3,
    low: values.find((value) => value >= q1 - reach) ?? values[0],
    high: values.findLast((value) => value <= q3 + reach) ?? values[values.length - 1],
  };
}
