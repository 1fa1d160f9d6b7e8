// Which rows are shown, and in which order: what the table and every chart look at.
import { labelOf, unitOf } from "./format.js";
import { columnTest, compile, isFilter } from "./language.js";

/** Short names of the command line for what is known of the run itself. @type {Record<string, string>} */
const SHORT = {
  num: "",
  status: "run-status",
  started: "run-started",
  duration: "run-duration_s",
  error: "run-error",
  app: "run-app",
  host: "run-host",
  dir: "run-dir",
  memory: "run-peak_rss_bytes",
};

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

  /** A column by its name, its label, or the end of it when only one ends so. @param {string} name */
  find(name) {
    const wanted = SHORT[name] !== undefined && this.values[SHORT[name]] ? SHORT[name] : name;
    const exact = this.columns.find((column) => column.name === wanted) ?? this.columns.find((column) => column.label === wanted);
    if (exact) return exact;
    const ends = this.columns.filter(({ name: full, label }) => full.endsWith(`.${wanted}`) || label.endsWith(`.${wanted}`));
    const results = ends.filter((column) => column.role === "result");
    return ends.length === 1 ? ends[0] : results.length === 1 ? results[0] : null;
  }

  /** The column of the states. */
  get status() {
    return this.columns.find((column) => unitOf(column.name) === "status")?.name ?? "";
  }

  /** @param {string} text a filter, or words to look for */
  setQuery(text) {
    this.query = text;
    this.complaint = "";
    if (!text.trim()) this.queryTest = null;
    else if (isFilter(text)) {
      try {
        this.queryTest = compile(text, {
          column: (name) => {
            const column = this.find(name);
            return column ? this.values[column.name] : null;
          },
        });
      } catch (error) {
        this.complaint = error instanceof Error ? error.message : String(error);
      }
    } else {
      const words = text.toLowerCase().split(/\s+/).filter(Boolean);
      const texts = this.allTexts();
      this.queryTest = (row) => words.every((word) => texts[row].includes(word));
    }
    this.apply();
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
    const tests = [...this.columnFilters].map(([name, filter]) => columnTest(filter, this.values[name]));
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
