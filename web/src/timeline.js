// When each job ran, and where: how well the machine was used.
import { colour } from "./colours.js";
import { cell, count, duration } from "./format.js";
import { frame } from "./frame.js";
import { sign } from "./marks.js";
import { known } from "./states.js";

/** @typedef {{ worker: string, lane: number, bars: { row: number, from: number, to: number }[] }} Lane */

/**
 * One lane for each job that a worker ran at the same time.
 *
 * @param {SweepData["jobs"]} jobs
 * @param {number} end seconds, where jobs that still run are cut
 * @returns {Lane[]}
 */
export function lanesOf(jobs, end) {
  /** @type {Map<string, { row: number, from: number, to: number }[]>} */
  const byWorker = new Map();
  jobs.begins_s.forEach((from, row) => {
    if (from == null) return;
    const worker = jobs.worker[row] ?? "unknown worker";
    const bar = { row, from, to: jobs.duration_s[row] == null ? end : from + /** @type {number} */ (jobs.duration_s[row]) };
    const list = byWorker.get(worker);
    if (list) list.push(bar);
    else byWorker.set(worker, [bar]);
  });
  /** @type {Lane[]} */
  const lanes = [];
  const names = [...byWorker.keys()].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  for (const worker of names) {
    /** @type {Lane[]} */
    const own = [];
    const sorted = /** @type {Lane["bars"]} */ (byWorker.get(worker)).sort((a, b) => a.from - b.from);
    for (const [index, bar] of sorted.entries()) {
      const isGone = jobs.duration_s[bar.row] == null && jobs.status[bar.row] !== "running";
      if (isGone) bar.to = sorted[index + 1]?.from ?? end; // when it ended, nobody noted
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

/** @param {import("./sweep.js").View} view @param {SweepData} data */
export function timeline(view, data) {
  const { store } = view;
  const { jobs } = data;
  let end = data.duration_s ?? 0;
  jobs.begins_s.forEach((from, row) => {
    if (from != null) end = Math.max(end, from + (jobs.duration_s[row] ?? 0));
  });
  if (data.status === "running" && data.started_at) end = Math.max(end, (Date.parse(data.made_at) - Date.parse(data.started_at)) / 1000);
  end = end || 1;
  const lanes = lanesOf(jobs, end);
  const busy = lanes.reduce((sum, lane) => sum + lane.bars.reduce((part, bar) => part + bar.to - bar.from, 0), 0);
  const nWorkers = new Set(lanes.map((lane) => lane.worker)).size;
  const share = lanes.length ? Math.min(1, busy / (end * lanes.length)) : 0;
  const atOnce = lanes.length > nWorkers ? `, ${lanes.length} jobs at once` : "";
  const words = `${count(nWorkers, "worker")}${atOnce}: busy ${Math.round(share * 100)} % of ${duration(end)}; ${duration(busy)} of work in all.`;
  const thick = lanes.length > 60 ? 8 : lanes.length > 24 ? 14 : 24;
  const laneOf = new Map(lanes.flatMap((lane, index) => lane.bars.map((bar) => [bar.row, index])));
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
          context.fillStyle = store.passes[row] ? colour(state) : colour("ghost");
          context.globalAlpha = store.passes[row] ? 0.85 : 0.5;
          context.fillRect(left, middle - half, width, half * 2);
          context.globalAlpha = 1;
          if (state !== "completed" && store.passes[row] && width > 12 && half > 4) {
            context.fillStyle = context.strokeStyle = colour("card");
            sign(context, state, left + width / 2, middle, 7);
          }
        }
      });
    },
    hit: (x, y, drawing) => {
      const index = lanes.length - 1 - Math.round(indexAt(y, drawing, lanes.length));
      const bar = lanes[index]?.bars.find(({ from, to }) => x >= drawing.x(from) - 1 && x <= Math.max(drawing.x(to), drawing.x(from) + 2));
      if (!bar || !store.passes[bar.row]) return null;
      const lines = /** @type {[string, string][]} */ ([...view.describe(bar.row, []), ["worker", lanes[index].worker], ["began after", duration(bar.from)], ["took", cell(jobs.duration_s[bar.row], "duration_s") || "still runs"]]);
      return { lines, pick: () => view.open(bar.row) };
    },
  });
  const table = () => ({
    header: ["num", "status", "worker", "lane", "begins_s", "duration_s"],
    rows: Array.from(store.shownRows, (row) => [jobs.num[row], jobs.status[row], jobs.worker[row], laneOf.get(row) ?? null, jobs.begins_s[row], jobs.duration_s[row]]),
  });
  return { ...chart, table, words, isEmpty: lanes.length === 0 };
}

/** @param {number} y @param {import("./frame.js").Drawing} drawing @param {number} size */
function indexAt(y, drawing, size) {
  const [zero, one] = [drawing.y(0), drawing.y(1)];
  return size > 1 ? (y - zero) / (one - zero) : 0;
}
