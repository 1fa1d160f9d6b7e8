// Which rows are shown, and in which order: what the table and every chart look at.
import { labelOf, measureOf, unitOf } from "./format.js";
import { columnTest, filterOf } from "./language.js";

/** Short names of the command line for what is known of the run itself, as `runs.query.SHORT` has them. @type {Record<string, string>} */
const SHORT = {
  ...Object.fromEntries(["id", "dir", "status", "started", "error", "app", "num", "attempt", "host", "duration_s", "peak_rss_bytes", "cpu_s", "overrides"].map((name) => [name, `run-${name}`])),
  run: "run-dir",
  duration: "run-duration_s",
  success: "job_success",
};
/** Columns that a page leaves out when no row has a value in them. */
const MAY_BE_EMPTY = new Set(["run-error", "run-peak_rss_bytes", "run-cpu_s"]);

/** The end of a long dotted name, as far as no other ends so. @param {string} name @param {string[]} names */
function shortened(name, names) {
  const parts = name.split(".");
  if (name.length <= 22) return name;
  for (let n = 1; n < parts.length; n++) {
    const end = parts.slice(-n).join(".");
    if (names.filter((other) => other === end || other.endsWith(`.${end}`)).length === 1) return end;
  }
  return name;
}

export class Store {
  /**
   * @param {Column[]} columns
   * @param {Values} values
   * @param {number} size
   */
  constructor(columns, values, size) {
    this.columns = columns.map((column) => ({ ...column, label: labelOf(column), short: labelOf(column) }));
    for (const column of this.columns) column.short = shortened(column.label, this.columns.map((one) => one.label));
    this.values = values;
    this.size = size;
    /** Whether a row passes, one byte each. */
    this.passes = new Uint8Array(size).fill(1);
    this.nShown = size;
    /** @type {Map<string, import("./language.js").ColumnFilter>} */
    this.columnFilters = new Map();
    /** @type {{ label: string, rows: Set<number> } | null} */
    this.only = null;
    this.query = "";
    /** What is wrong with the query; "" when nothing is. */
    this.complaint = "";
    /** What is wrong with the filters of columns, which do nothing then. @type {Map<string, string>} */
    this.columnComplaints = new Map();
    /** @type {import("./language.js").Test | null} */
    this.queryTest = null;
    /** @type {{ name: string, isDown: boolean }[]} */
    this.sortBy = [];
    /** @type {Uint32Array} */
    this.order = Uint32Array.from({ length: size }, (_, row) => row);
    this.shownRows = this.order;
    /** @type {(() => void)[]} */
    this.listeners = [];
    /** @type {string[] | null} */
    this.texts = null;
    setTimeout(() => this.allTexts(), 400); // so that the first words typed are found at once
  }

  /** @param {() => void} listener called when other rows are shown, or in another order */
  onChange(listener) {
    this.listeners.push(listener);
  }

  /**
   * The values of a column and what they are, by its name, a short name, the end of it when only one column, or only one result, ends so,
   * or what stands above it; as `runs.query.find_column` finds it. Throws an Error that says why there is none.
   *
   * @param {string} name
   */
  find(name) {
    const { columns } = this;
    const told = (/** @type {string} */ own) => ({ values: this.values[own] ?? new Array(this.size).fill(null), unit: measureOf(own) });
    const named = (/** @type {string} */ wanted) => columns.find((column) => column.name === wanted);
    const short = Object.hasOwn(SHORT, name) ? SHORT[name] : name;
    const exact = named(name) ?? named(short) ?? (short === "run-num" ? named("") : undefined);
    if (exact) return told(exact.name);
    if (MAY_BE_EMPTY.has(short)) return told(short);
    if (short !== name || Object.values(SHORT).includes(name)) throw new Error(`this page does not hold "${name}"; hydra-callbacks list knows it`);
    const ends = columns.filter(({ name: full }) => full.endsWith(`.${name}`));
    const results = ends.filter((column) => column.role === "result");
    const found = ends.length === 1 ? ends[0] : results.length === 1 ? results[0] : columns.find((column) => column.label === name);
    if (found) return told(found.name);
    throw new Error(ends.length ? `several columns end in "${name}": ${ends.map((column) => column.name).join(", ")}; name one` : `there is no column "${name}"`);
  }

  /** The column of the states. */
  get status() {
    return this.columns.find((column) => unitOf(column.name) === "status")?.name ?? "";
  }

  /** @param {string} text a filter, or words to look for */
  setQuery(text) {
    this.query = text;
    this.complaint = "";
    try {
      this.queryTest = text.trim() ? (filterOf(text, { column: (name) => this.find(name) }) ?? this.wordsTest(text)) : null;
    } catch (error) {
      this.complaint = error instanceof Error ? error.message : String(error);
    }
    this.apply();
  }

  /** @param {string} text @returns {import("./language.js").Test} */
  wordsTest(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const texts = this.allTexts();
    return (row) => words.every((word) => texts[row].includes(word));
  }

  allTexts() {
    if (!this.texts) {
      const columns = this.columns.map((column) => this.values[column.name]);
      this.texts = Array.from({ length: this.size }, (_, row) => columns.map((values) => values[row] ?? "").join("\u0000").toLowerCase());
    }
    return this.texts;
  }

  /** @param {string} name @param {import("./language.js").ColumnFilter | null} filter */
  setColumn(name, filter) {
    if (filter === null || (filter.kind === "typed" && !filter.text.trim())) this.columnFilters.delete(name);
    else this.columnFilters.set(name, filter);
    this.apply();
  }

  /** @param {{ label: string, rows: Set<number> } | null} only */
  setOnly(only) {
    this.only = only;
    this.apply();
  }

  clear() {
    this.columnFilters.clear();
    this.only = null;
    this.setQuery("");
  }

  get isFiltered() {
    return this.nShown < this.size || this.columnFilters.size > 0 || this.only !== null || this.query.trim() !== "";
  }

  /** @param {string} name @param {boolean} [isDown] */
  sort(name, isDown = false) {
    this.sortBy = [{ name, isDown }];
    const values = this.values[name];
    const rank = (/** @type {Cell} */ value) => (value == null ? 2 : typeof value === "string" ? 1 : 0);
    const sign = isDown ? -1 : 1;
    const collator = new Intl.Collator("en", { numeric: true });
    this.order = Uint32Array.from({ length: this.size }, (_, row) => row).sort((a, b) => {
      const [left, right] = [values[a], values[b]];
      const [before, after] = [rank(left), rank(right)];
      if (before !== after) return before - after;
      if (before === 2) return a - b;
      const by = before === 1 ? collator.compare(String(left), String(right)) : Number(left) - Number(right);
      return sign * by || a - b;
    });
    this.arrange();
  }

  apply() {
    /** @type {import("./language.js").Test[]} */
    const tests = [];
    this.columnComplaints.clear();
    for (const [name, filter] of this.columnFilters) {
      try {
        tests.push(columnTest(filter, this.values[name], measureOf(name)));
      } catch (error) {
        this.columnComplaints.set(name, error instanceof Error ? error.message : String(error));
      }
    }
    if (this.queryTest) tests.push(this.queryTest);
    const { only } = this;
    if (only) tests.push((row) => only.rows.has(row));
    this.nShown = 0;
    for (let row = 0; row < this.size; row++) {
      let passes = 1;
      for (const test of tests) {
        if (!test(row)) {
          passes = 0;
          break;
        }
      }
      this.passes[row] = passes;
      this.nShown += passes;
    }
    this.arrange();
  }

  arrange() {
    this.shownRows = this.nShown === this.size ? this.order : this.order.filter((row) => this.passes[row]);
    for (const listener of this.listeners) listener();
  }
}
