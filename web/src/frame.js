// A chart with two axes: uPlot keeps the scales, the ticks and the zoom; what is drawn between them is the caller's.
import uPlot from "uplot";
import { colour, onScheme } from "./colours.js";
import { el, fill, shown } from "./dom.js";
import { bytes, number, roundDuration, withUnit } from "./format.js";
import { apart, byteTicks, logTicks, secondTicks, ticks } from "./scales.js";

const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif';

const LONGEST_SLANTED = 104; // pixels

/** @type {HTMLElement | null} */
let bubble = null;

/** Show lines of text beside the pointer; null hides them. @param {[string, string][] | null} lines @param {number} [x] @param {number} [y] */
export function tooltip(lines, x = 0, y = 0) {
  if (!bubble) {
    bubble = el("div", { class: "tooltip", "aria-hidden": "true" });
    document.body.append(bubble);
  }
  bubble.classList.toggle("on", lines !== null);
  if (!lines) return;
  fill(bubble, el("dl", {}, lines.flatMap(([name, value]) => [el("dt", { text: name }), el("dd", { text: value })])));
  const { offsetWidth: width, offsetHeight: height } = bubble;
  bubble.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - width - 8))}px`;
  bubble.style.top = `${y + height + 24 > innerHeight ? Math.max(4, y - height - 12) : y + 16}px`;
}

/**
 * Draw when a place comes into view, gets another width, or is out of date; never what nobody sees.
 *
 * @param {HTMLElement} host
 * @param {(width: number) => void} draw
 * @returns {Drawn}
 *
 * @typedef {object} Drawn
 * @property {() => void} old says that it is out of date
 * @property {() => void} remove lets it go: nothing is drawn any more
 */
export function lazily(host, draw) {
  let isSeen = false;
  let isOld = true;
  let width = 0;
  let waits = false;
  const run = () => {
    waits = false;
    if (!isSeen || !isOld || width < 40) return;
    isOld = false;
    draw(width);
  };
  const ask = () => {
    if (waits || !isSeen || !isOld) return;
    waits = true;
    requestAnimationFrame(run);
  };
  const old = () => {
    isOld = true;
    ask();
  };
  const inView = new IntersectionObserver(
    (entries) => {
      isSeen = entries[entries.length - 1].isIntersecting;
      ask();
    },
    { rootMargin: "200px" },
  );
  const sized = new ResizeObserver(() => {
    const now = Math.floor(host.clientWidth);
    if (now === width) return;
    width = now;
    old();
  });
  const print = () => {
    width = width || Math.floor(host.clientWidth);
    isSeen = true;
    run();
  };
  inView.observe(host);
  sized.observe(host);
  const unwatch = onScheme(old);
  addEventListener("beforeprint", print);
  const remove = () => {
    inView.disconnect();
    sized.disconnect();
    unwatch();
    removeEventListener("beforeprint", print);
    isOld = false; // nor what has been asked for already
  };
  return { old, remove };
}

/** @param {import("./scales.js").Axis} axis @param {number} low @param {number} high @param {number} n */
function ticksOf(axis, low, high, n) {
  if (axis.kind === "log") return logTicks(low, high, n);
  if (axis.kind === "seconds") return secondTicks(low, high, n);
  if (axis.kind === "category") {
    const size = axis.names?.length ?? 0;
    const every = Math.max(1, Math.ceil((Math.min(high, size) - Math.max(low, 0)) / Math.max(n, 1)));
    return Array.from({ length: size }, (_, i) => i).filter((i) => i % every === 0 && i >= low && i <= high);
  }
  const found = (axis.unit === "B" ? byteTicks : ticks)(low, high, n);
  return axis.isCount ? found.filter(Number.isInteger) : found;
}

/** @param {import("./scales.js").Axis} axis @param {number} value */
export function tickText(axis, value) {
  if (axis.kind === "category") return shown(axis.names?.[value] ?? "");
  if (axis.kind === "seconds") return roundDuration(value);
  if (axis.unit === "B") return bytes(value).replace(".0 ", " ");
  return axis.unit && !axis.unit.startsWith("%") ? withUnit(value, axis.unit) : number(value);
}

/** The beginning and the end of a text, as far as there is room. @param {CanvasRenderingContext2D} context @param {string} text @param {number} room in CSS pixels */
export function fitted(context, text, room) {
  text = shown(text);
  if (context.measureText(text).width <= room) return text;
  const signs = [...text];
  let [low, high] = [1, signs.length - 1];
  const cut = (/** @type {number} */ n) => `${signs.slice(0, Math.ceil(n / 2)).join("")}\u2026${n > 1 ? signs.slice(-Math.floor(n / 2)).join("") : ""}`;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(cut(middle)).width <= room) low = middle;
    else high = middle - 1;
  }
  return cut(low);
}

const ruler = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));

/**
 * @typedef {object} Drawing what a frame gives its caller to draw with; all places in CSS pixels
 * @property {CanvasRenderingContext2D} context
 * @property {(value: number) => number} x
 * @property {(value: number) => number} y
 * @property {number} left
 * @property {number} top
 * @property {number} width
 * @property {number} height
 *
 * @typedef {object} FrameOptions
 * @property {() => import("./scales.js").Axis} x
 * @property {() => import("./scales.js").Axis} y
 * @property {number | ((width: number) => number)} height
 * @property {string} label what the chart shows, for those who do not see it
 * @property {(drawing: Drawing) => void} draw
 * @property {(x: number, y: number, drawing: Drawing) => { lines: [string, string][], pick?: () => void } | null} [hit]
 * @property {boolean} [noZoom]
 *
 * @param {FrameOptions} options
 * @returns {Drawn & { node: HTMLElement }}
 */
export function frame(options) {
  const title = el("div", { class: "axis-y" });
  const place = el("div", { class: "plot", role: "img", "aria-label": options.label });
  const node = el("div", { class: "frame" }, title, place);
  /** @type {uPlot | null} */
  let plot = null;
  const { old, remove } = lazily(place, (width) => {
    plot?.destroy();
    const [x, y] = [options.x(), options.y()];
    title.textContent = shown(y.label);
    const height = typeof options.height === "function" ? options.height(width) : options.height;
    plot = new uPlot(settings(options, x, y, width, height), [[x.low, x.high], [y.low, y.high]], place);
  });
  return {
    node,
    old,
    remove: () => {
      remove();
      plot?.destroy();
    },
  };
}

/**
 * @param {FrameOptions} options
 * @param {import("./scales.js").Axis} x
 * @param {import("./scales.js").Axis} y
 * @param {number} width
 * @param {number} height
 * @returns {uPlot.Options}
 */
function settings(options, x, y, width, height) {
  /** @type {{ lines: [string, string][], pick?: () => void } | null} */
  let under = null;
  const across = axisSettings(x, false, width);
  return {
    width,
    height,
    padding: [8, 22, 0, across.rotate === 45 ? 26 : 0],
    legend: { show: false },
    cursor: {
      drag: options.noZoom ? { x: false, y: false } : { x: true, y: y.kind !== "category", uni: 24 },
      points: { show: false },
      x: false,
      y: false,
    },
    scales: {
      x: { time: false, distr: x.kind === "log" ? 3 : 1, range: (_u, low, high) => [low ?? x.low, high ?? x.high] },
      y: { distr: y.kind === "log" ? 3 : 1, range: () => [y.low, y.high] },
    },
    axes: [across, axisSettings(y, true, width)],
    series: [{}, { paths: () => null, points: { show: false } }],
    hooks: {
      draw: [
        (u) => {
          const { ctx: context } = u;
          const drawing = drawingOf(u);
          context.save();
          context.scale(devicePixelRatio, devicePixelRatio);
          context.beginPath();
          context.rect(drawing.left, drawing.top, drawing.width, drawing.height);
          context.clip();
          options.draw(drawing);
          context.restore();
        },
      ],
      setCursor: [
        (u) => {
          if (!options.hit) return;
          const { left = -1, top = -1 } = u.cursor;
          const drawing = drawingOf(u);
          under = left < 0 ? null : options.hit(left + drawing.left, top + drawing.top, drawing);
          u.over.classList.toggle("pickable", Boolean(under?.pick));
          const box = u.over.getBoundingClientRect();
          tooltip(under && under.lines, box.left + left, box.top + top);
        },
      ],
      ready: [
        (u) => {
          let from = [0, 0];
          u.over.addEventListener("mousedown", (event) => {
            from = [event.clientX, event.clientY];
          });
          u.over.addEventListener("click", (event) => {
            if (Math.hypot(event.clientX - from[0], event.clientY - from[1]) < 4) under?.pick?.();
          });
          u.over.addEventListener("mouseleave", () => tooltip(null));
        },
      ],
      destroy: [() => tooltip(null)],
    },
  };
}

/** @param {uPlot} u @returns {Drawing} */
export function drawingOf(u) {
  const ratio = devicePixelRatio;
  const { left, top, width, height } = u.bbox;
  return {
    context: u.ctx,
    x: (value) => u.valToPos(value, "x", true) / ratio,
    y: (value) => u.valToPos(value, "y", true) / ratio,
    left: left / ratio,
    top: top / ratio,
    width: width / ratio,
    height: height / ratio,
  };
}

/**
 * @param {import("./scales.js").Axis} axis
 * @param {boolean} isY
 * @param {number} [width] of the chart
 * @returns {uPlot.Axis}
 */
export function axisSettings(axis, isY, width = 0) {
  ruler.font = FONT;
  const widest = ruler.measureText(axis.names?.[0] ?? "").width + 18;
  const span = axis.kind === "seconds" ? ruler.measureText(roundDuration(Math.floor(axis.high / 600) * 600 + 60)).width + 16 : 0;
  const space = isY ? (axis.kind === "category" ? 16 : 28) : axis.kind === "category" ? (axis.canSkip ? widest : 12) : Math.max(62, span);
  const names = !isY && axis.kind === "category" && !axis.canSkip ? (axis.names ?? []).map(shown) : [];
  const longest = Math.min(Math.max(0, ...names.map((name) => ruler.measureText(name).width)), LONGEST_SLANTED);
  const slot = names.length ? (width - 70) / names.length : Infinity;
  const isSlanted = slot < longest + 8;
  return {
    stroke: () => colour("muted"),
    font: FONT,
    gap: isY ? 8 : 6,
    ...(isSlanted ? { rotate: slot < 18 ? 90 : 45 } : {}),
    grid: { show: axis.kind !== "category", stroke: () => colour("grid"), width: 1 },
    ticks: { show: false },
    border: { show: !isY, stroke: () => colour("line"), width: 1 },
    splits: (u, _index, low, high) => {
      const length = (isY ? u.bbox.height : u.bbox.width) / devicePixelRatio || 300;
      if (axis.at) {
        ruler.font = FONT;
        const share = axis.kind === "log" ? (/** @type {number} */ value) => Math.log(value / low) / Math.log(high / low) : (/** @type {number} */ value) => (value - low) / (high - low);
        return apart(axis.at.filter((value) => value >= low && value <= high), (value) => share(value) * length, (value) => (isY ? 16 : ruler.measureText(tickText(axis, value)).width + 8));
      }
      return ticksOf(axis, low, high, Math.max(2, Math.floor(length / space)));
    },
    filter: (_u, splits) => splits,
    values: (_u, splits) => {
      ruler.font = FONT;
      const room = isY ? 150 : isSlanted ? LONGEST_SLANTED : slot - 8;
      return splits.map((value) => fitted(ruler, tickText(axis, value), Math.max(room, 20)));
    },
    size: isY
      ? (_u, values) => {
          ruler.font = FONT;
          return Math.ceil(Math.max(24, ...(values ?? []).map((text) => ruler.measureText(text).width)) + 14);
        }
      : isSlanted
        ? longest * (slot < 18 ? 1 : 0.72) + 18
        : 30,
    ...(isY || !axis.label ? {} : { label: shown(axis.label), labelFont: FONT, labelSize: 22, labelGap: 2 }),
  };
}
