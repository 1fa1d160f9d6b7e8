// The page of a register: all runs of a place.
import { csvButtons } from "./csv.js";
import { el, safeLink, say, section } from "./dom.js";
import { cell, count, duration, number, zoned } from "./format.js";
import { filterBar } from "./filterbar.js";
import { frame } from "./frame.js";
import { jobPanel } from "./job.js";
import { bar } from "./marks.js";
import { Store } from "./store.js";
import { known, stateBar, STATES } from "./states.js";
import { plainTable, table } from "./table.js";

const DAY = 86_400_000;
const SPANS = [3_600_000, 6 * 3_600_000, DAY, 7 * DAY, 30 * DAY, 91 * DAY, 365 * DAY];
const MOST_BINS = 70;

/** @param {RegisterData} data @param {HTMLElement} main */
export function registerPage(data, main) {
  const { runs } = data;
  const facts = factsOf(data);
  const store = new Store(data.columns, data.values, facts.status.length);
  if (data.values["run-started"]) store.sort("run-started", true);
  const link = (/** @type {number} */ row) => {
    const address = runs.link[row];
    return address ? safeLink(address) : null;
  };
  const open = jobPanel(store, {
    title: (row) => facts.app[row] || "Run",
    status: (row) => facts.status[row],
    dir: (row) => facts.dir[row],
    path: (row) => runs.path[row],
    failure: () => null,
    link,
  });
  /** @type {Record<string, number>} */
  const counts = {};
  for (const status of facts.status) counts[status] = (counts[status] ?? 0) + 1;
  const seconds = facts.durations.reduce((sum, value) => sum + value, 0);
  main.append(
    el(
      "div",
      { class: "tiles" },
      el("div", { class: "tile wide-tile" }, el("h2", {}, "Runs"), el("p", { class: "big" }, store.size.toLocaleString("en")), stateBar(counts, (state) => {
        store.setColumn(store.status, { kind: "set", values: [state] });
        say(`Only ${state}`);
      })),
      el("div", { class: "tile" }, el("h2", {}, "Time spent"), el("p", { class: "big" }, hours(seconds)), el("p", { class: "hint" }, store.size ? `${duration(seconds / store.size)} a run on average` : "")),
      el("div", { class: "tile" }, el("h2", {}, "Applications"), el("p", { class: "big" }, String(new Set(facts.app).size)), el("p", { class: "hint" }, lastRun(facts.started))),
    ),
  );
  const when = overTime(facts, store, "runs");
  const spent = overTime(facts, store, "time");
  if (when && spent) {
    store.onChange(() => {
      when.old();
      spent.old();
    });
    main.append(section("time", "Over time", el("div", { class: "multiples two" }, card("Runs by start", "runs_over_time", when), card("Time spent", "time_over_time", spent))));
  }
  if (data.by_app.length) main.append(byApp(data, facts));
  const grid = table(store, { label: "Runs", open, link, key: store.columns[0]?.name ?? "", hidden: sameEverywhere(data) });
  const whole = () => ({ header: store.columns.map((column) => column.name || column.label), rows: Array.from(store.shownRows, (row) => store.columns.map((column) => store.values[column.name][row])) });
  const list = section("runs", "Runs", filterBar(store, "run").node, grid.node);
  list.querySelector(".head")?.append(el("span", { class: "tools" }, grid.menu, csvButtons("runs", whole)));
  main.append(list);
}

/**
 * @typedef {object} Facts what is known of each run, by its row: columns of the table, which may lack some
 * @property {(string | null)[]} started
 * @property {string[]} status
 * @property {number[]} durations in seconds; 0 where it is not known
 * @property {string[]} app
 * @property {(string | null)[]} dir
 *
 * @param {RegisterData} data
 * @returns {Facts}
 */
function factsOf({ values, runs }) {
  const texts = (/** @type {string} */ name) => runs.link.map((_, row) => (values[name]?.[row] == null ? null : String(values[name][row])));
  return {
    started: texts("run-started"),
    status: texts("run-status").map((status) => status ?? "unknown"),
    durations: runs.link.map((_, row) => Number(values["run-duration_s"]?.[row]) || 0),
    app: texts("run-app").map((app) => app ?? ""),
    dir: texts("run-dir"),
  };
}

/** Settings that tell no run from another: hidden until they are asked for. @param {RegisterData} data */
function sameEverywhere({ columns, values, runs }) {
  if (runs.link.length < 2) return [];
  return columns.filter(({ name, role }) => role === "config" && values[name].every((value) => value === values[name][0])).map(({ name }) => name);
}

/** @param {number} seconds */
function hours(seconds) {
  return seconds >= 36_000 ? `${Math.round(seconds / 3600).toLocaleString("en")} h` : duration(seconds);
}

/** @param {(string | null)[]} times */
function lastRun(times) {
  const last = times.reduce((/** @type {string} */ most, time) => (time && time > most ? time : most), "");
  return last ? `last run ${zoned(last)}` : "";
}

/** @param {string} title @param {string} name @param {NonNullable<ReturnType<typeof overTime>>} chart */
function card(title, name, chart) {
  return el("figure", { class: "card" }, el("figcaption", {}, el("h3", { text: title }), csvButtons(name, chart.table)), chart.node);
}

/**
 * Stacked by state, in spans of a round length.
 *
 * @param {Facts} facts
 * @param {Store} store
 * @param {"runs" | "time"} what
 */
function overTime(facts, store, what) {
  const times = facts.started.map((time) => (time ? Date.parse(time) : NaN));
  const dated = times.filter((time) => !Number.isNaN(time));
  if (!dated.length) return null;
  const [first, last] = [dated.reduce((a, b) => Math.min(a, b)), dated.reduce((a, b) => Math.max(a, b))];
  const span = SPANS.find((one) => (last - first) / one <= MOST_BINS) ?? (last - first) / MOST_BINS;
  const zone = new Date(first).getTimezoneOffset() * 60_000;
  const start = Math.floor((first - zone) / span) * span + zone;
  const n = Math.floor((last - start) / span) + 1;
  const states = STATES.filter((state) => facts.status.some((status) => known(status) === state));
  const bins = () => {
    const made = Array.from({ length: n }, () => /** @type {Record<string, number>} */ ({}));
    times.forEach((time, row) => {
      if (Number.isNaN(time) || !store.passes[row]) return;
      const bin = made[Math.floor((time - start) / span)];
      const state = known(facts.status[row]);
      bin[state] = (bin[state] ?? 0) + (what === "runs" ? 1 : facts.durations[row]);
    });
    return made;
  };
  const total = (/** @type {Record<string, number>} */ bin) => Object.values(bin).reduce((sum, value) => sum + value, 0);
  const dayOf = (/** @type {number} */ index) => cell(new Date(start + index * span).toISOString(), "run-started").slice(0, span < DAY ? 16 : 10);
  const isTime = what === "time";
  const highest = () => Math.max(...bins().map(total), 1);
  const chart = frame({
    height: 220,
    label: isTime ? `Time spent, by state: at most ${duration(highest())}` : `Runs over time, by state: at most ${count(highest(), "run")}`,
    noZoom: true,
    x: () => ({ kind: "category", low: -0.6, high: n - 0.4, names: Array.from({ length: n }, (_, i) => dayOf(i).slice(last - first < 300 * DAY ? 5 : 0)), label: "", canSkip: true }),
    y: () => ({ kind: isTime ? "seconds" : "number", low: 0, high: highest() * 1.08, label: "", isCount: !isTime }),
    draw: ({ context, x, y }) => {
      const width = Math.min(Math.abs(x(1) - x(0)) * 0.78, 26);
      bins().forEach((bin, index) => {
        let sum = 0;
        for (const state of states) {
          if (!bin[state]) continue;
          const [low, high] = [y(sum), y(sum + bin[state])];
          sum += bin[state];
          bar(context, state, x(index) - width / 2, high, width, Math.max(low - high - 0.5, 0.5));
        }
      });
    },
    hit: (x, _y, drawing) => {
      const index = Math.round((x - drawing.x(0)) / (drawing.x(1) - drawing.x(0)));
      const bin = bins()[index];
      if (!bin || !total(bin)) return null;
      return { lines: [["from", dayOf(index)], ...states.filter((state) => bin[state]).map((state) => /** @type {[string, string]} */ ([state, isTime ? duration(bin[state]) : number(bin[state])]))] };
    },
  });
  const csv = () => ({ header: ["from", ...states.map((state) => (isTime ? `${state}_s` : state))], rows: bins().map((bin, index) => [dayOf(index), ...states.map((state) => bin[state] ?? 0)]) });
  return { ...chart, table: csv };
}

/** @param {RegisterData} data @param {Facts} facts */
function byApp(data, facts) {
  const rows = data.by_app.map((one) => {
    const { best } = one;
    const spent = facts.durations.reduce((sum, value, row) => sum + (facts.app[row] === one.app ? value : 0), 0);
    const address = best?.row === undefined ? null : data.runs.link[best.row];
    const words = best ? `${number(best.value)}${best.name ? ` ${best.name}` : ""}` : "";
    const more = best?.words ? el("code", { class: "soft", text: best.words }) : null;
    return [
      el("span", { text: one.app }),
      one.n_runs.toLocaleString("en"),
      stateBar(one.counts),
      hours(spent),
      el("span", {}, address && safeLink(address) ? el("a", { href: address, text: words }) : words || "\u2013", " ", more),
    ];
  });
  const part = section("apps", "By application", el("div", { class: "card flush" }, plainTable("Runs by application", ["Application", "Runs", "States", "Time", "Best result"], rows, new Set([1, 3]))));
  part.querySelector(".head")?.append(
    csvButtons("by_application", () => ({ header: ["app", "n_runs", "hours", "best", "best_words"], rows: data.by_app.map((one) => [one.app, one.n_runs, one.hours, one.best?.value ?? null, one.best?.words ?? null]) })),
  );
  return part;
}
