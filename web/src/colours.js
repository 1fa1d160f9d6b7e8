// The style sheet's colours, as a canvas needs them; read anew when the scheme changes.

/** @type {Map<string, string>} */
const read = new Map();
/** @type {HTMLElement | null} */
let probe = null;
/** @type {Set<() => void>} */
const listeners = new Set();

/** The colour of a variable of the style sheet. @param {string} name such as "text" or "failed" */
export function colour(name) {
  let found = read.get(name);
  if (found === undefined) {
    if (!probe) {
      probe = document.createElement("span");
      probe.hidden = true;
      document.body.append(probe);
    }
    probe.style.color = `var(--${name})`;
    found = getComputedStyle(probe).color;
    read.set(name, found);
  }
  return found;
}

/** @param {() => void} listener @returns {() => void} ends it */
export function onScheme(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function changed() {
  read.clear();
  ramps.clear();
  for (const listener of listeners) listener();
}

/** @type {Map<string, string[]>} */
const ramps = new Map();
const STEPS = 32;

/** A colour from the ramp of the metric: 0 is worst, 1 is best. @param {number} share */
export function ramp(share) {
  let steps = ramps.get("ramp");
  if (!steps) {
    const stops = ["ramp-0", "ramp-1", "ramp-2", "ramp-3"].map((name) => (colour(name).match(/[\d.]+/g) ?? []).map(Number));
    steps = Array.from({ length: STEPS + 1 }, (_, index) => {
      const at = (index / STEPS) * (stops.length - 1);
      const low = Math.min(Math.floor(at), stops.length - 2);
      const mixed = stops[low].map((part, i) => Math.round(part + (stops[low + 1][i] - part) * (at - low)));
      return `rgb(${mixed.slice(0, 3).join(",")})`;
    });
    ramps.set("ramp", steps);
  }
  return steps[Math.round(Math.min(1, Math.max(0, share)) * STEPS)];
}

export function isDark() {
  const chosen = document.documentElement.style.colorScheme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Choose a scheme; "" leaves it to the reader's system. @param {"" | "light" | "dark"} scheme */
export function setScheme(scheme) {
  document.documentElement.style.colorScheme = scheme;
  changed();
}

/** Before anything else listens for printing: charts draw what they are asked for in the scheme that stands then. */
export function watchScheme() {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  let before = /** @type {"" | "light" | "dark"} */ ("");
  addEventListener("beforeprint", () => {
    before = /** @type {"" | "light" | "dark"} */ (document.documentElement.style.colorScheme);
    setScheme("light"); // paper is white
  });
  addEventListener("afterprint", () => setScheme(before));
}
