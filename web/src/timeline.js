// When each job ran, and where: how well the machine was used.
import { colour } from "./colours.js";
import { count, duration } from "./format.js";
import { frame } from "./frame.js";
import { bar, sign } from "./marks.js";
import { known } from "./states.js";

/** @typedef {{ row: number, from: number, to: number }} Bar */
/** @typedef {{ worker: string, lane: number, bars: Bar[] }} Lane */

/**
 * One lane for each job that a worker ran at the same time.
 *
 * @param {SweepData["jobs"]} jobs
 * @param {import("./sweep.js").Facts} facts
 * @param {number} end seconds, where jobs that still run are cut
 * @returns {Lane[]}
 */
export function lanesOf(jobs, { durations, status }, end) {
  /** @type {Map<string, Bar[]>} */
  const byWorker = new Map();
  jobs.begins_s.forEach((from, row) => {
    if (from == null) return;
    const worker = jobs.worker[row] ?? "unknown worker";
    const own = { row, from, to: from + (durations[row] ?? 0) };
    const list = byWorker.get(worker);
    if (list) list.push(own);
    else byWorker.set(worker, [own]);
  });
  /** @type {Lane[]} */
  const lanes = [];
  const names = [...byWorker.keys()].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  for (const worker of names) {
    /** @type {Lane[]} */
    const own = [];
    const sorted = /** @type {Bar[]} */ (byWorker.get(worker)).sort((a, b) => a.from - b.from);
    for (const [index, bar] of sorted.entries()) {
      if (durations[bar.row] === null) bar.to = status[bar.row] === "running" ? end : (sorted[index + 1]?.from ?? end); // at most
      let lane = own.find((one) => one.bars[one.bars.length - 1].to <= bar.from + 0.05);
      if (!lane) {
        lane = { worker, lane: own.length, bars: [] };
        own.push(lane);
      }
      lane.bars.push(bar);
    }
    lanes.push(...own);
  }
  return lanes;
}

/**
 * How long the sweep took, without what passed between its launches, to its last sign of life.
 *
 * @param {SweepData} data
 * @param {import("./sweep.js").Facts} facts
 */
function endOf(data, { durations }) {
  let end = data.duration_s ?? 0;
  data.jobs.begins_s.forEach((from, row) => {
    if (from != null) end = Math.max(end, from + (durations[row] ?? 0));
  });
  if (data.status === "running" && data.started_at) end = Math.max(end, (Date.parse(data.made_at) - Date.parse(data.started_at)) / 1000 - data.idle_s);
  return end || 1;
}

/** @param {import("./sweep.js").View} view @param {SweepData} data @param {import("./sweep.js").Facts} facts */
export function timeline(view, data, facts) {
  const { store } = view;
  const { jobs } = data;
  const end = endOf(data, facts);
  const lanes = lanesOf(jobs, facts, end);
  const isOpen = (/** @type {number} */ row) => facts.durations[row] === null && facts.status[row] !== "running"; // when it ended, nobody noted
  const bars = lanes.flatMap((lane) => lane.bars);
  const busy = bars.reduce((sum, { row, from, to }) => sum + (isOpen(row) ? 0 : to - from), 0);
  const nOpen = bars.filter(({ row }) => isOpen(row)).length;
  const nWorkers = new Set(lanes.map((lane) => lane.worker)).size;
  const nLaunches = data.launches_s.length;
  const share = lanes.length ? Math.min(1, busy / (end * lanes.length)) : 0;
  const words = [
    `${count(nWorkers, "worker")}${lanes.length > nWorkers ? `, ${lanes.length} jobs at once` : ""}: busy ${Math.round(share * 100)} % of ${duration(end)}; ${duration(busy)} of work in all.`,
    data.idle_s > 0 ? `${duration(data.idle_s)} between its ${nLaunches > 1 ? `${nLaunches} ` : ""}launches ${nLaunches > 1 ? "are" : "is"} left out.` : "",
    nOpen ? `When ${count(nOpen, "job")} ended is not known: counted as no work.` : "",
  ].filter(Boolean).join(" ");
  const thick = lanes.length > 60 ? 8 : lanes.length > 24 ? 14 : 24;
  const laneOf = new Map(lanes.flatMap((lane, index) => lane.bars.map(({ row }) => [row, index])));
  const chart = frame({
    height: Math.min(900, lanes.length * thick + 62),
    label: `Jobs over time, by worker. ${words}`,
    x: () => ({ kind: "seconds", low: 0, high: end * 1.01, label: "since the start of the sweep" }),
    y: () => ({
      kind: "category",
      low: -0.5,
      high: lanes.length - 0.5,
      names: lanes.map((_, index) => {
        const lane = lanes[lanes.length - 1 - index];
        return lane.lane ? "" : lane.worker;
      }),
      label: "",
    }),
    draw: ({ context, x, y }) => {
      lanes.forEach((lane, index) => {
        const middle = y(lanes.length - 1 - index);
        const half = Math.min(Math.abs(y(1) - y(0)) * 0.36, 9);
        for (const { row, from, to } of lane.bars) {
          const left = x(from);
          const width = Math.max(x(to) - left - 0.5, 1);
          const state = known(view.stateOf(row));
          context.globalAlpha = store.passes[row] ? 0.85 : 0.5;
          if (isOpen(row)) outline(context, store.passes[row] ? state : "ghost", left, middle - half, width, half * 2);
          else bar(context, store.passes[row] ? state : "ghost", left, middle - half, width, half * 2);
          context.globalAlpha = 1;
          if (state !== "completed" && store.passes[row] && width > 12 && half > 4) {
            context.fillStyle = context.strokeStyle = colour(isOpen(row) ? state : "card");
            sign(context, state, left + width / 2, middle, 7);
          }
        }
      });
      context.fillStyle = colour("text");
      for (const at of data.launches_s.slice(1)) context.fillRect(x(at) - 0.75, y(lanes.length - 0.5), 1.5, y(-0.5) - y(lanes.length - 0.5));
    },
    hit: (x, y, drawing) => {
      const index = lanes.length - 1 - Math.round(indexAt(y, drawing, lanes.length));
      const found = lanes[index]?.bars.find(({ from, to }) => x >= drawing.x(from) - 1 && x <= Math.max(drawing.x(to), drawing.x(from) + 2));
      if (!found || !store.passes[found.row]) return null;
      const lines = /** @type {[string, string][]} */ ([...view.describe(found.row, []), ["worker", lanes[index].worker], ["began after", duration(found.from)], ["took", facts.durations[found.row] !== null ? duration(facts.durations[found.row]) : isOpen(found.row) ? "its end is not known" : "still runs"]]);
      return { lines, pick: () => view.open(found.row) };
    },
  });
  const table = () => ({
    header: ["num", "status", "worker", "lane", "begins_s", "duration_s"],
    rows: Array.from(store.shownRows, (row) => [facts.num[row], facts.status[row], jobs.worker[row], laneOf.get(row) ?? null, jobs.begins_s[row], facts.durations[row]]),
  });
  return { ...chart, table, words, isEmpty: lanes.length === 0 };
}

/** A bar that may have ended earlier. @param {CanvasRenderingContext2D} context @param {string} state @param {number} left @param {number} top @param {number} width @param {number} height */
function outline(context, state, left, top, width, height) {
  context.save();
  context.strokeStyle = colour(state);
  context.setLineDash([4, 3]);
  context.strokeRect(left + 0.5, top + 0.5, Math.max(width - 1, 1), height - 1);
  context.restore();
}

/** @param {number} y @param {import("./frame.js").Drawing} drawing @param {number} size */
function indexAt(y, drawing, size) {
  const [zero, one] = [drawing.y(0), drawing.y(1)];
  return size > 1 ? (y - zero) / (one - zero) : 0;
}
