// The page's script: reads the data that came with the page, and shows it. Nothing is fetched, nothing is parsed as HTML.
import { isDark, setScheme, watchScheme } from "./colours.js";
import { add, copyable, el } from "./dom.js";
import { zoned } from "./format.js";
import { registerPage } from "./register.js";
import { runPage, runWhen } from "./run.js";
import { stateLabel } from "./states.js";
import { sweepPage, sweepWhen } from "./sweep.js";

/** @param {ReportData} data */
function show(data) {
  watchScheme();
  document.documentElement.classList.add("live");
  document.body.append(el("div", { id: "said", role: "status", "aria-live": "polite" }));
  header(data);
  const main = /** @type {HTMLElement} */ (document.querySelector("main"));
  main.replaceChildren();
  if (data.notes.length) main.append(el("div", { class: "notice", role: "note" }, el("ul", {}, data.notes.map((note) => el("li", { text: note })))));
  if (data.kind === "sweep") sweepPage(data, main);
  else if (data.kind === "run") runPage(data, main);
  else registerPage(data, main);
  contents(main);
}

/** @param {ReportData} data */
function header(data) {
  const place = /** @type {HTMLElement} */ (document.querySelector("header .inner"));
  place.replaceChildren();
  const when = data.kind === "sweep" ? sweepWhen(data) : data.kind === "run" ? runWhen(data) : "";
  const scheme = el("button", { type: "button", class: "scheme", onclick: () => {
    setScheme(isDark() ? "light" : "dark");
    name();
  } });
  const name = () => {
    scheme.textContent = isDark() ? "Light" : "Dark";
    scheme.setAttribute("aria-label", `Switch to the ${isDark() ? "light" : "dark"} scheme`);
  };
  name();
  add(
    place,
    el("div", { class: "topline" }, el("span", { class: "kind", text: data.kind }), scheme),
    el("div", { class: "titleline" }, el("h1", { text: data.title }), data.kind === "register" ? null : stateLabel(data.status)),
    when ? el("p", { class: "when", text: when }) : null,
    copyable(data.place, "the directory"),
    data.kind === "run" && data.sweep ? el("p", { class: "when" }, "Part of the sweep ", data.sweep.link ? el("a", { href: data.sweep.link, text: data.sweep.place }) : el("code", { text: data.sweep.place })) : null,
    data.commands.length
      ? el("details", { class: "commands", open: data.commands.length <= 4 && innerWidth >= 900 }, el("summary", {}, "Commands"), data.commands.map(({ label, command }) => el("div", { class: "command" }, el("span", { text: label }), copyable(command, `the command: ${label}`))))
      : null,
  );
  const footer = /** @type {HTMLElement} */ (document.querySelector("footer .inner"));
  footer.replaceChildren(el("p", { text: `Made ${zoned(data.made_at)} by hydra_callbacks ${data.version}. This file needs no network.` }));
}

/** Links to the sections. @param {HTMLElement} main */
function contents(main) {
  const nav = /** @type {HTMLElement} */ (document.querySelector("nav"));
  const sections = [...main.querySelectorAll("section[id]")];
  nav.replaceChildren(el("ul", { class: "inner" }, sections.map((part) => el("li", {}, el("a", { href: `#${part.id}`, text: part.getAttribute("data-nav") ?? part.querySelector("h2")?.textContent ?? part.id })))));
  nav.hidden = sections.length < 2;
}

const source = document.getElementById("data");
if (source) show(JSON.parse(source.textContent ?? "null"));
