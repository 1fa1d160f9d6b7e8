// The page of a sweep.
import { against, byJob } from "./against.js";
import { bars } from "./bars.js";
import { csvButtons } from "./csv.js";
import { copyable, el, fill, say, section } from "./dom.js";
import { count, duration, number, zoned } from "./format.js";
import { filterBar } from "./filterbar.js";
import { isCut, jobPanel, whyNotPasted, withoutTraceback } from "./job.js";
import { cellsOf, parallel } from "./parallel.js";
import { Store } from "./store.js";
import { stateBar } from "./states.js";
import { closeOutside, table } from "./table.js";
import { timeline } from "./timeline.js";

/**
 * @typedef {object} View what charts ask about jobs
 * @property {Store} store
 * @property {(row: number) => string} stateOf
 * @property {(row: number) => number | null} share where the job's result stands: 0 is the worst, 1 the best
 * @property {() => number[]} ranked rows from the worst result to the best; before them, those without one
 * @property {() => number | null} best
 * @property {(row: number, names: string[]) => [string, string][]} describe
 * @property {(row: number) => void} open
 */

const MOST_AXES = 9;
const MOST_SETTINGS = 12;

/** @param {SweepData} data @param {HTMLElement} main */
export function sweepPage(data, main) {
  const facts = factsOf(data);
  const store = new Store(data.columns, data.values, facts.num.length);
  const { columns } = store;
  const errorOf = (/** @type {number} */ row) => {
    const index = data.jobs.error[row];
    return index == null ? null : (data.errors[index] ?? null);
  };
  const open = jobPanel(store, {
    title: (row) => `Job ${facts.num[row] ?? "?"}`,
    status: (row) => facts.status[row],
    dir: (row) => facts.dir(row),
    words: (row) => data.jobs.words[row],
    path: (row) => {
      const dir = facts.dir(row);
      return dir === null || isCut(dir) ? null : isAbsolute(dir) ? dir : `${data.place.replace(/[\\/]$/, "")}/${dir}`;
    },
    failure: errorOf,
    link: (row) => data.jobs.link[row],
    more: (row) => {
      const more = /** @type {[string, string][]} */ ([["began after", duration(data.jobs.begins_s[row])], ["worker", data.jobs.worker[row] ?? ""]]);
      return more.filter(([, value]) => value);
    },
  });
  const metric = { name: data.metric?.name ?? "", isMax: data.metric?.is_max ?? true };
  let ranks = data.metric && ranksOf(store, metric, facts.status);
  /** @type {View} */
  const view = {
    store,
    stateOf: (row) => facts.status[row],
    share: (row) => (ranks && ranks.shares[row] >= 0 ? ranks.shares[row] : null),
    ranked: () => ranks?.ranked ?? Array.from(store.passes, (_, row) => row),
    best: () => (ranks?.nRanked ? (ranks.ranked.at(-1) ?? null) : null),
    describe: (row, names) => [["job", `${facts.num[row] ?? "?"}, ${facts.status[row]}`], ...cellsOf(row, store, names)],
    open,
  };
  const columnOf = (/** @type {string} */ name) => columns.find((column) => column.name === name);
  const metricColumn = () => /** @type {Column} */ (data.metric && columnOf(metric.name));
  const varied = columns.filter((column) => column.role === "override" && new Set(data.values[column.name]).size > 1);

  /** @type {{ old: () => void }[]} */
  const charts = [];
  const changed = () => {
    for (const chart of charts) chart.old();
  };
  store.onChange(changed);

  // The headline
  const bestPlace = el("div", { class: "tile wide-tile" });
  const tellBest = () => {
    const row = view.best();
    const column = metricColumn();
    if (!column || row === null) {
      fill(bestPlace, el("h2", {}, "Best job"), el("p", { class: "hint" }, "No job has a result that is a number."));
      return;
    }
    const words = data.jobs.words[row];
    const overrides = columns.filter((one) => one.role === "override" && data.values[one.name][row] != null);
    const way = metric.isMax ? "highest" : "lowest";
    const told = data.metric?.candidates.find((one) => one.name === metric.name);
    const isGuessed = told?.is_guessed && metric.isMax === told.is_max;
    fill(
      bestPlace,
      el("h2", {}, "Best job"),
      el("p", { class: "big" }, number(Number(data.values[column.name][row])), " ", el("small", { text: `${column.label}, ${isGuessed ? `${way} is best, guessed from the name` : way}` })),
      words ? copyable(words, "the best job's overrides") : el("p", { class: "hint", text: words === "" ? "no overrides" : whyNotPasted(overrides.map(({ name }) => data.values[name][row])) }),
      el("button", { type: "button", class: "link", onclick: () => open(row) }, `Open job ${facts.num[row] ?? "?"}`),
    );
  };
  tellBest();
  const nJobs = store.size;
  main.append(
    el(
      "div",
      { class: "tiles" },
      el(
        "div",
        { class: "tile" },
        el("h2", {}, "Jobs"),
        el("p", { class: "big" }, nJobs.toLocaleString("en"), " ", el("small", {}, data.duration_s == null ? "" : `in ${duration(data.duration_s)}`)),
        stateBar(data.counts, (state) => {
          store.setColumn(store.status, { kind: "set", values: [state] });
          say(`Only ${state}`);
        }),
      ),
      bestPlace,
      data.metric ? chooser(data, columns, metric, () => {
        ranks = ranksOf(store, metric, facts.status);
        tellBest();
        buildSettings();
        tellImportance();
        changed();
      }) : null,
    ),
  );

  // Filter, parallel coordinates, table
  const bar = filterBar(store, "job");
  const axisNames = new Set([...varied.slice(0, MOST_AXES - 2).map((column) => column.name), ...(data.metric ? [...data.metric.candidates.slice(0, 2).map((one) => one.name), metric.name] : [])]);
  const axisColumns = () => {
    const results = columns.filter((column) => column.role !== "override" && axisNames.has(column.name) && column.name !== metric.name);
    const last = axisNames.has(metric.name) ? metricColumn() : null;
    return [...columns.filter((column) => column.role === "override" && axisNames.has(column.name)), ...results, ...(last ? [last] : [])];
  };
  const lines = parallel(view, axisColumns);
  charts.push(lines);
  const nAxes = axisNames.size;
  const overview = section("overview", "Overrides and results", el("p", { class: "hint" }, `Each line is a job, coloured by its ${data.metric ? "result" : "state"}; drag along an axis to filter, click it to undo.`), data.metric ? rampLegend() : null, lines.node);
  overview.querySelector(".head")?.append(el("span", { class: "tools" }, axisMenu(columns, axisNames, () => lines.old()), csvButtons("overrides_and_results", () => shownTable(store))));
  const grid = table(store, { label: "Jobs", open, key: store.columns[0]?.name ?? "", hidden: columns.filter((column) => column.role === "override" && !varied.includes(column) && columns.length > 14).map((column) => column.name) });
  const jobs = section("jobs", "Jobs", bar.node, grid.node);
  jobs.querySelector(".head")?.append(el("span", { class: "tools" }, grid.menu, csvButtons("jobs", () => shownTable(store))));
  main.append(...(nAxes > 1 && nJobs > 1 ? [overview] : []), jobs);

  // Metric against each override
  const multiples = el("div", { class: "multiples" });
  /** @type {import("./frame.js").Drawn[]} */
  let made = [];
  function buildSettings() {
    for (const one of made) {
      one.remove();
      charts.splice(charts.indexOf(one), 1);
    }
    made = [];
    fill(multiples);
    for (const setting of varied.slice(0, MOST_SETTINGS)) {
      const chart = against(view, setting, metricColumn);
      made.push(chart);
      charts.push(chart);
      multiples.append(el("figure", { class: "card" }, el("figcaption", {}, el("h3", { text: setting.label }), csvButtons(`${metric.name}_against_${setting.name}`, chart.table)), chart.node, chart.isCut ? el("p", { class: "hint" }, "Only the most frequent values.") : null));
    }
  }
  if (data.metric && varied.length) {
    buildSettings();
    main.append(section("settings", "Result against each override", el("p", { class: "hint" }, "The line joins medians; a box holds the middle half. Signs at the bottom are jobs without a result; the ring is the best. Drag to zoom, double-click to go back."), multiples, varied.length > MOST_SETTINGS ? el("p", { class: "hint" }, `${varied.length - MOST_SETTINGS} more overrides are in the table.`) : null));
  }
  const matters = el("div");
  function tellImportance() {
    if (data.importance) fill(matters, importance(data.importance, metric.name === data.metric?.name ? null : (columnOf(data.metric?.name ?? "")?.label ?? "")));
  }
  tellImportance();
  if (data.importance) main.append(matters);

  // Time and memory
  const when = timeline(view, data, facts);
  if (!when.isEmpty) {
    charts.push(when);
    const part = section("timeline", "Timeline", el("p", { text: when.words }), el("div", { class: "card" }, when.node));
    part.querySelector(".head")?.append(csvButtons("timeline", when.table));
    main.append(part);
  }
  const figures = [
    { name: "run-duration_s", label: "duration", unit: "s", values: facts.durations },
    { name: "run-peak_rss_bytes", label: "peak memory", unit: "B", values: facts.peaks },
  ].filter(({ values }) => values.some((value) => value != null));
  if (figures.length) {
    const cards = figures.map((figure) => {
      const chart = byJob(view, { ...figure, nums: facts.num });
      charts.push(chart);
      return el("figure", { class: "card" }, el("figcaption", {}, el("h3", { text: figure.label }), csvButtons(`${figure.label.replace(" ", "_")}_by_job`, chart.table)), chart.node);
    });
    main.append(section("resources", "Duration and memory by job", el("div", { class: "multiples two" }, cards)));
  }
  if (data.errors.length) main.append(errors(data, store, facts));
}

/**
 * @typedef {object} Facts what is known of each job, by its row: columns of the table, which may lack some
 * @property {(number | null)[]} num
 * @property {string[]} status
 * @property {(number | null)[]} durations in seconds
 * @property {(number | null)[]} peaks of memory, in bytes
 * @property {(row: number) => string | null} dir relative to the sweep; of a job that never started, null
 *
 * @param {SweepData} data
 * @returns {Facts}
 */
export function factsOf({ values, jobs }) {
  const size = jobs.begins_s.length;
  const numbers = (/** @type {string} */ name) => Array.from({ length: size }, (_, row) => numberOr(values[name]?.[row]));
  const num = numbers("");
  const status = Array.from({ length: size }, (_, row) => String(values["run-status"]?.[row] ?? "unknown"));
  const dir = (/** @type {number} */ row) => (status[row] === "pending" || status[row] === "missing" ? null : String(values["run-dir"]?.[row] ?? num[row] ?? "") || null);
  return { num, status, durations: numbers("run-duration_s"), peaks: numbers("run-peak_rss_bytes"), dir };
}

/** @param {Cell | undefined} value */
function numberOr(value) {
  return typeof value === "number" ? value : null;
}

/** @param {Store} store */
function shownTable(store) {
  return { header: store.columns.map((column) => column.name || column.label), rows: Array.from(store.shownRows, (row) => store.columns.map((column) => store.values[column.name][row])) };
}

/**
 * For each row where its result stands among all, from 0 (worst) to 1 (best); -1 where it has none.
 *
 * @param {Store} store
 * @param {{ name: string, isMax: boolean }} metric
 * @param {string[]} states
 */
function ranksOf(store, { name, isMax }, states) {
  const values = store.values[name];
  if (!values) return null;
  const shares = new Array(store.size).fill(-1);
  const isDone = (/** @type {number} */ row) => states[row] === "completed" || states[row] === "unknown";
  const rows = values.flatMap((value, row) => (typeof value === "number" && isDone(row) ? [row] : []));
  rows.sort((a, b) => (Number(values[a]) - Number(values[b])) * (isMax ? 1 : -1) || b - a);
  rows.forEach((row, place) => {
    shares[row] = rows.length === 1 ? 1 : place / (rows.length - 1);
  });
  const without = shares.flatMap((share, row) => (share < 0 ? [row] : []));
  return { shares, ranked: [...without, ...rows], nRanked: rows.length };
}

/** @param {SweepData} data @param {Column[]} columns @param {{ name: string, isMax: boolean }} metric @param {() => void} changed */
function chooser(data, columns, metric, changed) {
  const candidates = data.metric?.candidates ?? [];
  const names = el("select", { id: "metric" }, candidates.map(({ name }) => el("option", { value: name, text: columns.find((column) => column.name === name)?.label ?? name })));
  names.value = metric.name;
  const ways = el("select", { id: "metric-way" }, el("option", { value: "max" }, "highest is best"), el("option", { value: "min" }, "lowest is best"));
  ways.value = metric.isMax ? "max" : "min";
  names.addEventListener("change", () => {
    metric.name = names.value;
    metric.isMax = candidates.find(({ name }) => name === names.value)?.is_max ?? true; // a high loss is not good because a high accuracy is
    ways.value = metric.isMax ? "max" : "min";
    changed();
  });
  ways.addEventListener("change", () => {
    metric.isMax = ways.value === "max";
    changed();
  });
  return el("div", { class: "tile" }, el("h2", {}, "Result"), el("label", { for: "metric" }, "What is compared"), names, el("label", { for: "metric-way" }, "Which way"), ways);
}

function rampLegend() {
  return el("p", { class: "legend", "aria-hidden": "true" }, el("span", {}, "worst"), el("span", { class: "ramp" }), el("span", {}, "best"));
}

/** @param {Column[]} columns @param {Set<string>} names @param {() => void} changed */
function axisMenu(columns, names, changed) {
  const possible = columns.filter((column) => column.role === "override" || column.role === "result" || (column.kind === "number" && column.name !== ""));
  const boxes = possible.map((column) => {
    const box = el("input", { type: "checkbox" });
    box.checked = names.has(column.name);
    box.addEventListener("change", () => {
      if (box.checked) names.add(column.name);
      else names.delete(column.name);
      changed();
    });
    return el("label", {}, box, el("span", { text: column.label }));
  });
  const menu = el("details", { class: "menu" }, el("summary", {}, "Axes"), el("div", { class: "choices" }, boxes));
  closeOutside(menu);
  return menu;
}

/** @param {string} path */
function isAbsolute(path) {
  return /^([\\/]|[a-z]:)/i.test(path);
}

/** @param {NonNullable<SweepData["importance"]>} found @param {string | null} onlyFor the result for which it is known, when another is chosen */
function importance({ method, n_jobs: nJobs, is_enough: isEnough, why_not: why, shares }, onlyFor) {
  if (onlyFor !== null) return section("importance", "Which override matters", el("p", { class: "notice", text: `This is known for ${onlyFor} only, by which the page was made.` }));
  const items = shares.map(({ name, share }) => ({ name, value: share, text: `${Math.round(share * 100)} %` }));
  const part = section("importance", "Which override matters", el("p", { class: "hint", text: `${method} (${count(nJobs, "job")})` }), isEnough ? el("div", { class: "card" }, bars("Importance of each override", items, 1)) : el("p", { class: "notice", text: why ?? "There are too few jobs to tell." }));
  if (isEnough) part.querySelector(".head")?.append(csvButtons("importance", () => ({ header: ["override", "share"], rows: shares.map(({ name, share }) => [name, share]) })));
  return part;
}

/** @param {SweepData} data @param {Store} store @param {Facts} facts */
function errors(data, store, facts) {
  const items = data.errors.map((error) => {
    const nums = error.rows.slice(0, 12).map((row) => facts.num[row] ?? "?").join(", ");
    const showThem = () => {
      store.setOnly({ label: `ended with ${error.type}`, rows: new Set(error.rows) });
      document.getElementById("jobs")?.scrollIntoView();
    };
    return el(
      "details",
      { class: "error" },
      el("summary", {}, el("b", { text: error.type }), el("span", { class: "times", text: ` \u00d7 ${error.count}` }), el("span", { class: "message", text: error.message })),
      el("p", {}, el("span", { text: `${error.count === 1 ? "Job" : "Jobs"} ${nums}${error.rows.length > 12 ? ", \u2026" : ""} ` }), el("button", { type: "button", class: "link", onclick: showThem }, "Show in the table")),
      error.traceback ? el("pre", { class: "code", tabindex: "0", "aria-label": `Traceback of ${error.type}`, text: error.traceback }) : el("p", { class: "hint", text: withoutTraceback(facts.status[error.rows[0]]) }),
    );
  });
  return section("errors", "Errors", el("p", { class: "hint", text: `${count(data.errors.reduce((sum, error) => sum + error.count, 0), "job")} ended with an error, of ${count(data.errors.length, "kind")}.` }), ...items);
}

/** @param {SweepData} data */
export function sweepWhen(data) {
  return [zoned(data.started_at), data.duration_s == null ? "" : duration(data.duration_s)].filter(Boolean).join(" \u00b7 ");
}
