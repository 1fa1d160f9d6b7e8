// Signs for single jobs on a canvas.
import { colour } from "./colours.js";
import { FILLED, FORMS, known } from "./states.js";

/** @type {Map<string, Path2D>} */
const paths = new Map();

/**
 * Draw a sign for each row: by state, the shown ones in colour, the others faintly and beneath.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {{ row: number, x: number, y: number }[]} places
 * @param {(row: number) => string} stateOf
 * @param {Uint8Array} passes
 */
export function drawMarks(context, places, stateOf, passes) {
  const nShown = places.reduce((sum, { row }) => sum + passes[row], 0);
  const size = nShown > 3000 ? 2.2 : nShown > 600 ? 3.4 : nShown > 150 ? 5 : 7;
  context.fillStyle = colour("ghost");
  for (const { row, x, y } of places) {
    if (!passes[row]) context.fillRect(x - 1.25, y - 1.25, 2.5, 2.5);
  }
  /** @type {Map<string, { x: number, y: number }[]>} */
  const byState = new Map();
  for (const place of places) {
    if (!passes[place.row]) continue;
    const state = known(stateOf(place.row));
    const list = byState.get(state);
    if (list) list.push(place);
    else byState.set(state, [place]);
  }
  for (const [state, list] of byState) {
    context.globalAlpha = nShown > 3000 ? 0.45 : nShown > 300 ? 0.6 : 0.8;
    context.fillStyle = context.strokeStyle = colour(state);
    if (size < 4 && state === "completed") {
      for (const { x, y } of list) context.fillRect(x - size / 2, y - size / 2, size, size);
    } else {
      for (const { x, y } of list) sign(context, state, x, y, Math.max(size, 4));
    }
  }
  context.globalAlpha = 1;
}

const HATCHED = new Set(["lost", "unknown"]);

/**
 * A bar in a state's colour; of states whose end nobody saw, hatched.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {string} state
 * @param {number} left
 * @param {number} top
 * @param {number} width
 * @param {number} height
 */
export function bar(context, state, left, top, width, height) {
  context.fillStyle = colour(state);
  context.fillRect(left, top, width, height);
  if (!HATCHED.has(state) || width < 3) return;
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  context.strokeStyle = colour("card");
  context.lineWidth = 1.5;
  context.beginPath();
  for (let x = left - height; x < left + width; x += 6) {
    const [from, to] = state === "lost" ? [x, x + height] : [x + height, x];
    context.moveTo(from, top + height);
    context.lineTo(to, top);
  }
  context.stroke();
  context.restore();
}

/** @param {CanvasRenderingContext2D} context @param {string} state @param {number} x @param {number} y @param {number} size */
export function sign(context, state, x, y, size) {
  let path = paths.get(state);
  if (!path) {
    path = new Path2D(FORMS[state]);
    paths.set(state, path);
  }
  context.save();
  context.translate(x, y);
  context.scale(size / 10, size / 10);
  context.lineWidth = 2.4;
  if (FILLED.has(state)) context.fill(path);
  else context.stroke(path);
  context.restore();
}

/**
 * The place nearest to a point, within `reach` pixels.
 *
 * @template {{ x: number, y: number }} P
 * @param {P[]} places
 * @param {number} x
 * @param {number} y
 */
export function nearest(places, x, y, reach = 14) {
  let [found, best] = [/** @type {P | null} */ (null), reach * reach];
  for (const place of places) {
    const by = (place.x - x) ** 2 + (place.y - y) ** 2;
    if (by < best) [found, best] = [place, by];
  }
  return found;
}
