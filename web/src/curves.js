// Resource curves over time: panels that share their time axis, with the phases of the run behind them.
import uPlot from "uplot";
import { colour } from "./colours.js";
import { csvButtons } from "./csv.js";
import { el, shown } from "./dom.js";
import { duration, withUnit } from "./format.js";
import { axisSettings, drawingOf, lazily } from "./frame.js";
import { extent } from "./scales.js";

const HEIGHT = 146;
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3]];
export const N_COLOURS = 6;

/** @param {number} index */
const seriesColour = (index) => colour(`series-${index % N_COLOURS}`);
/** @param {number} index */
const dashOf = (index) => DASHES[Math.floor(index / 2) % DASHES.length];

/** @param {Curves} curves */
export function curvesView(curves) {
  const ends = extent([...curves.time_s, ...curves.phases.flatMap((phase) => [phase.began_s, phase.ended_s])]) ?? [0, 1];
  const whole = { low: ends[0], high: ends[1] > ends[0] ? ends[1] : ends[0] + 1 };
  const view = { ...whole };
  /** @type {{ plot: () => uPlot | null }[]} */
  const panels = [];
  /** @param {number} low @param {number} high */
  const zoom = (low, high) => {
    const least = (whole.high - whole.low) / 1e4;
    const span = Math.min(Math.max(high - low, least), whole.high - whole.low);
    view.low = Math.min(Math.max(low, whole.low), whole.high - span);
    view.high = view.low + span;
    for (const panel of panels) panel.plot()?.setScale("x", { min: view.low, max: view.high });
  };
  const by = (/** @type {number} */ factor, /** @type {number} */ shift) => {
    const [middle, half] = [(view.low + view.high) / 2, (view.high - view.low) / 2];
    zoom(middle + half * shift - half * factor, middle + half * shift + half * factor);
  };
  const button = (/** @type {string} */ label, /** @type {string} */ text, /** @type {() => void} */ act) => el("button", { type: "button", "aria-label": label, title: label, onclick: act }, text);
  const tools = el(
    "div",
    { class: "zoom", role: "group", "aria-label": "Zoom" },
    button("Earlier", "\u2190", () => by(1, -0.5)),
    button("Later", "\u2192", () => by(1, 0.5)),
    button("Zoom in", "+", () => by(0.5, 0)),
    button("Zoom out", "\u2212", () => by(2, 0)),
    button("All of the run", "All", () => zoom(whole.low, whole.high)),
  );
  const phases = el(
    "ul",
    { class: "phases", "aria-label": "Phases" },
    curves.phases.map((phase) => el("li", {}, el("button", { type: "button", class: "chip", title: "Zoom to this phase", onclick: () => zoom(phase.began_s, phase.ended_s) }, el("b", { text: phase.name }), " ", el("span", { text: duration(phase.ended_s - phase.began_s) })))),
  );
  const nodes = curves.panels.map((panel, index) => {
    const made = panelView(curves, panel, view, zoom, whole, index === curves.panels.length - 1);
    panels.push(made);
    return made.node;
  });
  return el("div", {}, el("div", { class: "curve-tools" }, tools, curves.phases.length ? phases : null), el("div", { class: "card" }, nodes));
}

/**
 * @param {Curves} curves
 * @param {Panel} panel
 * @param {{ low: number, high: number }} view
 * @param {(low: number, high: number) => void} zoom
 * @param {{ low: number, high: number }} whole
 * @param {boolean} isLast
 */
function panelView(curves, panel, view, zoom, whole, isLast) {
  const values = panel.series.map(() => el("span", { class: "live" }));
  const legend = el(
    "ul",
    { class: "series" },
    panel.series.map((series, index) => el("li", {}, swatch(index), el("span", { text: series.name }), values[index])),
    panel.mark ? el("li", {}, el("span", { class: "swatch mark", "aria-hidden": "true" }), el("span", { text: panel.mark.label }), el("span", { text: `${withUnit(panel.mark.value, panel.unit)}${isNear(panel) ? "" : ", above what is drawn"}` })) : null,
  );
  const peaks = panel.series.map((series) => `${series.name} at most ${withUnit(extent(series.values)?.[1] ?? 0, panel.unit)}`);
  const place = el("div", { class: "plot", role: "img", "aria-label": `${panel.title} over time: ${peaks.join(", ")}` });
  const header = ["time_s", ...panel.series.map((series) => `${series.name}${panel.unit ? ` (${panel.unit})` : ""}`)];
  const rows = () => curves.time_s.map((time, index) => [time, ...panel.series.map((series) => series.values[index])]);
  const node = el("figure", { class: "curve" }, el("figcaption", {}, el("h3", {}, panel.title, panel.unit ? el("small", { text: ` ${panel.unit}` }) : null), legend, csvButtons(panel.title, () => ({ header, rows: rows() }))), place);
  /** @type {uPlot | null} */
  let plot = null;
  lazily(place, (width) => {
    plot?.destroy();
    plot = new uPlot(settings(curves, panel, zoom, whole, isLast, width, values), /** @type {uPlot.AlignedData} */ ([curves.time_s, ...panel.series.map((series) => series.values)]), place);
    plot.setScale("x", { min: view.low, max: view.high });
  });
  return { node, plot: () => plot };
}

/** Which of two tones each phase has: another than that before it, or around it. @param {Curves["phases"]} phases in the order of their beginnings */
function tonesOf(phases) {
  /** @type {{ ended_s: number, tone: number }[]} */
  const around = [];
  let before = 1;
  return phases.map(({ ended_s }) => {
    while (around.length && around[around.length - 1].ended_s < ended_s) around.pop();
    const outer = around.at(-1);
    const tone = 1 - (outer ? outer.tone : before);
    if (!outer) before = tone;
    around.push({ ended_s, tone });
    return tone;
  });
}

/** Whether the mark can be drawn without making the curves flat. @param {Panel} panel */
function isNear({ series, mark }) {
  return mark !== null && mark.value <= 4 * Math.max(...series.map(({ values }) => extent(values)?.[1] ?? 0));
}

/** @param {number} index */
function swatch(index) {
  const canvas = el("span", { class: `swatch series-${index % N_COLOURS} dash-${Math.floor(index / 2) % DASHES.length}`, "aria-hidden": "true" });
  return canvas;
}

/**
 * @param {Curves} curves
 * @param {Panel} panel
 * @param {(low: number, high: number) => void} zoom
 * @param {{ low: number, high: number }} whole
 * @param {boolean} isLast
 * @param {number} width
 * @param {HTMLElement[]} live
 * @returns {uPlot.Options}
 */
function settings(curves, panel, zoom, whole, isLast, width, live) {
  const most = Math.max(...panel.series.map((series) => extent(series.values)?.[1] ?? 0), 0);
  const least = Math.min(...panel.series.map((series) => extent(series.values)?.[0] ?? 0), 0);
  const mark = isNear(panel) ? panel.mark : null;
  const tones = tonesOf(curves.phases);
  const top = Math.max(most, mark?.value ?? 0) || 1;
  return {
    width,
    height: isLast ? HEIGHT + 46 : HEIGHT,
    padding: [10, 22, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: "curves", setSeries: false },
      drag: { x: true, y: false, setScale: false },
      points: { size: 7 },
      y: false,
      bind: { dblclick: () => () => (zoom(whole.low, whole.high), null) },
    },
    scales: { x: { time: false }, y: { range: () => [least, top * (curves.phases.length ? 1.2 : 1.06)] } },
    axes: [
      { ...axisSettings({ kind: "seconds", low: whole.low, high: whole.high, label: isLast ? "since the start of the run" : "" }, false), ...(isLast ? {} : { values: () => [], size: 8 }) },
      { ...axisSettings({ kind: "number", low: 0, high: top, label: "", unit: panel.unit }, true), size: 74 },
    ],
    series: [
      {},
      ...panel.series.map((series, index) => ({
        label: series.name,
        stroke: () => seriesColour(index),
        width: 1.6,
        dash: dashOf(index),
        points: { show: curves.time_s.length < 3 },
        ...(panel.series.length === 1 ? { fill: () => colour("area") } : {}),
      })),
    ],
    hooks: {
      drawClear: [
        (u) => {
          const { context, x, left, top: upper, width: wide, height } = drawingOf(u);
          context.save();
          context.scale(devicePixelRatio, devicePixelRatio);
          context.beginPath();
          context.rect(left, upper - 10, wide, height + 10);
          context.clip();
          context.font = '11px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif';
          context.textAlign = "left";
          curves.phases.forEach((phase, index) => {
            const name = shown(phase.name);
            const [from, to] = [x(phase.began_s), x(phase.ended_s)];
            context.fillStyle = colour(`phase-${tones[index]}`);
            context.fillRect(from, upper, to - from, height);
            context.fillStyle = colour("line");
            context.fillRect(from, upper, 1, height);
            context.fillStyle = colour("muted");
            const next = curves.phases[index + 1]; // may begin inside this one
            const seen = [Math.max(from, left), Math.min(to, left + wide, next ? x(next.began_s) : Infinity)];
            if (seen[1] - seen[0] > context.measureText(name).width + 10) context.fillText(name, seen[0] + 5, upper + 12);
          });
          context.restore();
        },
      ],
      draw: [
        (u) => {
          if (!mark) return;
          const { context, y, left, width: wide } = drawingOf(u);
          context.save();
          context.scale(devicePixelRatio, devicePixelRatio);
          context.strokeStyle = colour("text"); // no curve's
          context.setLineDash([5, 4]);
          context.beginPath();
          context.moveTo(left, y(mark.value));
          context.lineTo(left + wide, y(mark.value));
          context.stroke();
          context.restore();
        },
      ],
      setSelect: [
        (u) => {
          const { left, width: wide } = u.select;
          if (wide > 3) zoom(u.posToVal(left, "x"), u.posToVal(left + wide, "x"));
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
      setCursor: [
        (u) => {
          const index = u.cursor.idx;
          live.forEach((node, i) => {
            const value = index == null ? null : panel.series[i].values[index];
            node.textContent = value == null ? "" : withUnit(value, panel.unit);
          });
        },
      ],
    },
  };
}
