// Values as people read them.

/** A number in at most five digits; a whole one in full. @param {number} value */
export function number(value) {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) {
    const [digits, power] = value.toExponential(3).split("e");
    return `${Number(digits)}e${Number(power)}`;
  }
  return String(Number(value.toPrecision(5)));
}

const SPANS = /** @type {[number, string, number, string][]} */ ([
  [86400, "d", 3600, "h"],
  [3600, "h", 60, "min"],
  [60, "min", 1, "s"],
]);

/** A span of time, as `support.texts.duration` writes it. @param {number | null | undefined} seconds */
export function duration(seconds) {
  if (seconds == null) return "";
  if (seconds < 60) {
    if (seconds !== 0 && Math.abs(seconds) < 0.01) return `${Number((seconds * 1000).toPrecision(2))} ms`;
    return `${seconds.toFixed(seconds < 9.995 ? 2 : 1)} s`;
  }
  const [size, unit, partSize, part] = /** @type {[number, string, number, string]} */ (SPANS.find(([one]) => seconds >= one));
  return `${Math.floor(seconds / size)} ${unit} ${Math.floor((seconds % size) / partSize)} ${part}`;
}

/** A round span of time, without what is zero. @param {number} seconds */
export function roundDuration(seconds) {
  if (seconds === 0) return "0 s";
  if (Math.abs(seconds) < 1) return `${Number((seconds * 1000).toPrecision(4))} ms`;
  return seconds < 60 ? `${Number(seconds.toPrecision(4))} s` : duration(seconds + 1e-6).replace(/ 0 \w+$/, "");
}

/** A size in memory or on disk, as `support.texts.size` writes it: 1 KiB is 1024 B. @param {number | null | undefined} count */
export function bytes(count) {
  if (count == null) return "";
  let value = count;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (Math.abs(value) < 1024) return unit === "B" ? `${Math.round(value)} B` : `${value.toFixed(1)} ${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(1)} TiB`;
}

/** What a unit is in bytes or seconds, in small letters: those that are shown, and those that people write. @type {Record<"B" | "s", Record<string, number>>} */
const UNITS = {
  B: { b: 1, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3, tib: 1024 ** 4, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 },
  s: { ms: 1e-3, s: 1, min: 60, h: 3600, d: 86400 },
};
const PART = /\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([a-z]*)\s*/giy;

/**
 * What was written with its unit, as in `200 MiB`, `1 min 15 s`, or without one: then in bytes or seconds. Null when
 * it is nothing of the kind.
 *
 * @param {string} text
 * @param {"B" | "s"} unit what is measured: a size or a time
 */
export function quantity(text, unit) {
  let [sum, at] = [0, 0];
  while (at < text.length || at === 0) {
    PART.lastIndex = at;
    const part = PART.exec(text);
    if (!part) return null;
    const name = part[2].toLowerCase();
    const isAlone = at === 0 && PART.lastIndex === text.length;
    if (name ? !Object.hasOwn(UNITS[unit], name) : !isAlone) return null;
    sum += Number(part[1]) * (name ? UNITS[unit][name] : 1);
    at = PART.lastIndex;
  }
  return sum;
}

/** What may stand behind a number, for a message. @param {"B" | "s"} unit */
export function unitsOf(unit) {
  return unit === "B" ? "B, KiB, MiB, GiB, TiB, kB, MB, GB or TB" : "ms, s, min, h or d";
}

/** What the numbers of a column are, if they are something that has a unit. @param {string} name @returns {"B" | "s" | ""} */
export function measureOf(name) {
  const unit = unitOf(name);
  return unit === "B" || unit === "s" ? unit : "";
}

/** A value with its unit. @param {number} value @param {string} unit */
export function withUnit(value, unit) {
  if (unit === "B") return bytes(value);
  if (unit === "s") return duration(value);
  return unit ? `${number(value)} ${shortUnit(unit)}` : number(value);
}

/** "%" for "% of one core". @param {string} unit */
export function shortUnit(unit) {
  return unit.startsWith("%") ? "%" : unit;
}

/** A column's label without the unit that its values bring along. @param {Column} column */
export function labelOf({ name, label }) {
  return unitOf(name) === "s" || unitOf(name) === "B" ? label.replace(/ \((s|bytes)\)$/, "") : label;
}

/** A moment on the reader's clock, to the minute. @param {string | null | undefined} iso */
export function moment(iso) {
  const date = iso ? new Date(iso) : null;
  if (!date || Number.isNaN(date.getTime())) return iso ?? "";
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** A moment on the reader's clock, with its distance from UTC. @param {string | null | undefined} iso */
export function zoned(iso) {
  const date = iso ? new Date(iso) : null;
  if (!date || Number.isNaN(date.getTime())) return iso ?? "";
  const ahead = -date.getTimezoneOffset();
  const [hours, minutes] = [Math.floor(Math.abs(ahead) / 60), Math.abs(ahead) % 60];
  return `${moment(iso)} UTC${ahead === 0 ? "" : `${ahead < 0 ? "\u2212" : "+"}${hours}${minutes ? `:${String(minutes).padStart(2, "0")}` : ""}`}`;
}

/** What a column of ours holds, by its name; of the users' own columns, nobody knows. @param {string} name @returns {"s" | "B" | "time" | "status" | ""} */
export function unitOf(name) {
  if (name === "run-status") return "status";
  if (/^run-.*_s$/.test(name)) return "s";
  if (/^run-.*_bytes$/.test(name)) return "B";
  if (/^run-(started|ended)$/.test(name)) return "time";
  return "";
}

/** One cell of a table. @param {unknown} value @param {string} [name] */
export function cell(value, name = "") {
  if (value == null) return "";
  if (typeof value === "number") {
    const unit = unitOf(name);
    if (unit === "s") return duration(value);
    return unit === "B" ? bytes(value) : number(value);
  }
  if (typeof value === "string") return unitOf(name) === "time" ? moment(value) : value;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** "1 job", "2 jobs". @param {number} n @param {string} word */
export function count(n, word) {
  return `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;
}
