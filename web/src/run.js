// The page of one run.
import { bars } from "./bars.js";
import { csvButtons } from "./csv.js";
import { curvesView } from "./curves.js";
import { diffView } from "./diff.js";
import { copyButton, el, isImage, section } from "./dom.js";
import { bytes, cell, count, duration, zoned } from "./format.js";
import { pair, shellWord, whyNotPasted } from "./job.js";
import { plainTable } from "./table.js";

const CONFIG_SHOWN = 18;

/** @param {RunData} data @param {HTMLElement} main */
export function runPage(data, main) {
  main.append(...[trouble(data), tiles(data)].filter((node) => node !== null));
  const settings = data.config.length || data.overrides.length ? configSection(data) : null;
  const result = data.result.length ? section("result", "Result", el("div", { class: "card" }, el("dl", { class: "facts wide-facts" }, data.result.flatMap(({ key, value }) => pair(key, typeof value === "number" ? String(value) : cell(value)))))) : null;
  result?.querySelector(".head")?.append(csvButtons("result", () => ({ header: ["key", "value"], rows: data.result.map(({ key, value }) => [key, value]) })));
  if (settings || result) main.append(el("div", { class: "columns" }, settings, result && el("div", {}, result, timersSection(data))));
  if (!result && data.timers.length) main.append(/** @type {Node} */ (timersSection(data)));
  if (data.curves?.panels.length) {
    const { n_samples: n, is_thinned: isThinned } = data.curves;
    main.append(section("resources", "Resources", el("p", { class: "hint" }, `${count(n, "sample")}${isThinned ? ", thinned here with the peaks kept" : ""}. Drag to zoom, double-click to go back.`), curvesView(data.curves)));
  }
  if (data.console) main.append(consoleSection(data.console));
  if (data.images.length) main.append(gallery(data.images));
  if (data.artefacts.length) main.append(artefacts(data));
  if (data.git) main.append(gitSection(data.git));
  const machine = environment(data);
  if (machine) main.append(machine);
}

/** @param {RunData} data */
function trouble({ error, crash }) {
  if (!error && !crash) return null;
  return el(
    "section",
    { class: "trouble", id: "error", "data-nav": "Error", "aria-labelledby": "error-title" },
    el("h2", { id: "error-title", text: error ? error.type : "Crash report" }),
    error?.message ? el("p", { class: "message", text: error.message }) : null,
    error?.why ? el("p", { text: error.why }) : null,
    error?.traceback ? el("details", { class: "fold", open: !crash }, el("summary", {}, "Traceback"), el("div", { class: "coded" }, copyButton(error.traceback, "the traceback"), el("pre", { class: "code", tabindex: "0", "aria-label": "Traceback", text: error.traceback }))) : null,
    crash ? el("details", { class: "fold", open: true }, el("summary", {}, "Crash report"), el("div", { class: "coded" }, copyButton(crash, "the crash report"), el("pre", { class: "code", tabindex: "0", "aria-label": "Crash report", text: crash }))) : null,
  );
}

/** @param {RunData} data */
function tiles(data) {
  const figures = [...(data.duration_s == null ? [] : [{ label: "duration", value: duration(data.duration_s), hint: null }]), ...data.figures.filter((figure) => figure.label !== "duration")];
  if (!figures.length) return null;
  return el("ul", { class: "tiles figures", "aria-label": "Figures" }, figures.map(({ label, value, hint }) => el("li", { class: "tile" }, el("span", { class: "label", text: label }), el("span", { class: "big", text: value }), hint ? el("span", { class: "hint", text: hint }) : null)));
}

/** @param {RunData} data */
function configSection({ overrides, config }) {
  const body = el("tbody");
  const line = (/** @type {RunData["config"][number]} */ { key, value, is_overridden: isOwn }) => el("tr", { class: isOwn ? "own" : "" }, el("th", { scope: "row" }, el("code", { text: key }), isOwn ? el("span", { class: "badge" }, "override") : null), el("td", {}, el("code", { text: value })));
  body.append(...config.slice(0, CONFIG_SHOWN).map(line));
  const search = el("input", { type: "search", id: "config-search", placeholder: `search ${config.length} settings`, "aria-label": "Search the configuration", autocomplete: "off" });
  const more = el("button", { type: "button", class: "link", onclick: () => list(true) }, `Show all ${config.length} settings`);
  /** @param {boolean} all */
  const list = (all) => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = config.filter(({ key, value }) => words.every((word) => `${key} ${value}`.toLowerCase().includes(word)));
    body.replaceChildren(...(all || words.length ? found : found.slice(0, CONFIG_SHOWN)).map(line));
    more.hidden = all || words.length > 0;
  };
  search.addEventListener("input", () => list(false));
  const words = overrides.map(shellWord).join(" ");
  const why = whyNotPasted(overrides, true);
  const part = section(
    "config",
    "Configuration",
    ...(overrides.length ? [el("div", { class: "copyable" }, el("code", { text: words }), why ? null : copyButton(words, "the overrides")), why ? el("p", { class: "hint", text: why }) : null] : [el("p", { class: "hint" }, "No overrides: all settings are the defaults.")]),
    config.length > CONFIG_SHOWN ? search : null,
    config.length ? el("div", { class: "card flush" }, el("table", { class: "config" }, el("thead", { class: "offscreen" }, el("tr", {}, el("th", { scope: "col" }, "Setting"), el("th", { scope: "col" }, "Value"))), body)) : null,
    config.length > CONFIG_SHOWN ? more : null,
  );
  part.querySelector(".head")?.append(csvButtons("configuration", () => ({ header: ["key", "value", "is_overridden"], rows: config.map(({ key, value, is_overridden: isOwn }) => [key, value, isOwn]) })));
  return part;
}

/** @param {RunData} data */
function timersSection({ timers }) {
  if (!timers.length) return null;
  const items = timers.map(({ name, seconds }) => ({ name, value: seconds, text: duration(seconds) }));
  const part = section("timers", "Timers", el("div", { class: "card" }, bars("Timers", items)));
  part.querySelector(".head")?.append(csvButtons("timers", () => ({ header: ["name", "seconds"], rows: timers.map(({ name, seconds }) => [name, seconds]) })));
  return part;
}

/** @param {NonNullable<RunData["console"]>} said */
function consoleSection({ text, is_cut: isCut }) {
  const place = el("pre", { class: "code tall", tabindex: "0", "aria-label": "Console output", text });
  const part = section("console", "Console", isCut ? el("p", { class: "hint" }, "The end of what was printed.") : null, place);
  part.querySelector(".head")?.append(copyButton(text, "the console output"));
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    place.scrollTop = place.scrollHeight;
    observer.disconnect();
  }).observe(place);
  return part;
}

/** @param {RunData["images"]} images */
function gallery(images) {
  const big = el("dialog", { class: "lightbox", "aria-label": "Image" });
  document.body.append(big);
  big.addEventListener("click", () => big.close());
  const figures = images.filter((image) => isImage(image.uri)).map((image) => {
    const open = () => {
      big.replaceChildren(el("img", { src: image.uri, alt: image.path }), el("p", { text: image.path }), el("button", { type: "button" }, "Close"));
      big.showModal();
    };
    return el("figure", { class: "thumb" }, el("button", { type: "button", "aria-label": `Enlarge ${image.path}`, onclick: open }, el("img", { src: image.uri, alt: "", loading: "lazy", width: image.width || null, height: image.height || null })), el("figcaption", { text: image.path }));
  });
  return section("images", "Images", el("div", { class: "gallery" }, figures));
}

/** @param {RunData} data */
function artefacts({ artefacts: files, n_files: n, total_bytes: total }) {
  const told = n > files.length ? `${files.length.toLocaleString("en")} of ${count(n, "file")}; all together ${bytes(total)}` : `${count(n, "file")}, ${bytes(total)}`;
  const rows = files.map((file) => [el("code", { text: file.path }), bytes(file.bytes)]);
  const part = section("artefacts", "Files", el("p", { class: "hint", text: told }), el("div", { class: "card flush" }, plainTable("Files", ["File", "Size"], rows, new Set([1]))));
  part.querySelector(".head")?.append(csvButtons("files", () => ({ header: ["path", "bytes"], rows: files.map((file) => [file.path, file.bytes]) })));
  return part;
}

/** @param {NonNullable<RunData["git"]>} git */
function gitSection(git) {
  return section(
    "git",
    "Code",
    el("div", { class: "card" }, el("dl", { class: "facts wide-facts" }, git.facts.flatMap(([name, value]) => pair(name, value)))),
    git.left_out.length ? el("details", { class: "fold" }, el("summary", {}, `${count(git.left_out.length, "file")} left out of the patch`), el("ul", {}, git.left_out.map((name) => el("li", { text: name })))) : null,
    git.patch ? diffView(git.patch, git.patch_is_cut) : null,
  );
}

/** @param {RunData} data */
function environment({ environment: facts, packages }) {
  if (!facts.length && !packages.length) return null;
  return section(
    "environment",
    "Environment",
    facts.length ? el("div", { class: "card" }, el("dl", { class: "facts wide-facts" }, facts.flatMap(([name, value]) => pair(name, value)))) : null,
    packages.length ? el("details", { class: "fold" }, el("summary", {}, count(packages.length, "package")), copyButton(() => packages.map(([name, version]) => `${name}==${version}`).join("\n"), "the packages"), el("ul", { class: "packages" }, packages.map(([name, version]) => el("li", {}, el("span", { text: name }), " ", el("span", { class: "version", text: version }))))) : null,
  );
}

/** @param {RunData} data */
export function runWhen(data) {
  const tried = data.attempt > 1 ? `attempt ${data.attempt}` : "";
  return [zoned(data.started_at), duration(data.duration_s), data.host ?? "", tried].filter(Boolean).join(" \u00b7 ");
}
