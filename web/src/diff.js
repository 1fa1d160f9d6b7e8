// A unified diff, one fold for each file.
import { copyButton, el, shown } from "./dom.js";

const MOST_LINES = 4000;

/** @param {string} patch @returns {{ name: string, lines: string[], added: number, removed: number }[]} */
export function filesOf(patch) {
  /** @type {{ name: string, lines: string[], added: number, removed: number }[]} */
  const files = [];
  let isBody = false;
  for (const line of patch.replace(/\n$/, "").split("\n")) {
    if (line.startsWith("diff --git ") || files.length === 0) {
      const name = /^diff --git a\/.* b\/(.*)$/.exec(line)?.[1] ?? line.replace(/^diff --git /, "");
      files.push({ name: name || "patch", lines: [], added: 0, removed: 0 });
      isBody = false;
    }
    const file = files[files.length - 1];
    file.lines.push(line);
    if (line.startsWith("@@")) isBody = true;
    else if (isBody && line.startsWith("+")) file.added++;
    else if (isBody && line.startsWith("-")) file.removed++;
    else if (!isBody && line.startsWith("+++ ") && line !== "+++ /dev/null") file.name = line.slice(4).replace(/^b\//, "").replace(/\t.*$/, "");
  }
  return files;
}

/** @param {string} patch @param {boolean} isCut */
export function diffView(patch, isCut) {
  const files = filesOf(patch);
  const folds = files.map((file) => {
    const place = el("pre", { class: "code diff", tabindex: "0", "aria-label": `Changes of ${file.name}` });
    const fold = el(
      "details",
      { class: "fold" },
      el("summary", {}, el("code", { text: file.name }), " ", el("span", { class: "plus", text: `+${file.added}` }), " ", el("span", { class: "minus", text: `\u2212${file.removed}` })),
      place,
    );
    const build = () => {
      if (!fold.open || place.firstChild) return;
      let isBody = false;
      for (const line of file.lines.slice(0, MOST_LINES)) {
        if (line.startsWith("@@")) isBody = true;
        const kind = line.startsWith("@@") ? "hunk" : !isBody ? "meta" : line.startsWith("+") ? "ins" : line.startsWith("-") ? "del" : "same";
        const row = document.createElement("span");
        row.className = kind;
        row.textContent = `${shown(line.replace(/\r$/, ""))}\n`;
        place.append(row);
      }
      if (file.lines.length > MOST_LINES) place.append(el("span", { class: "meta", text: `${file.lines.length - MOST_LINES} more lines\n` }));
    };
    fold.addEventListener("toggle", build);
    if (files.length <= 3 && file.lines.length < 200) fold.open = true;
    return fold;
  });
  return el("div", {}, el("div", { class: "head" }, el("h3", {}, `Changes in ${files.length === 1 ? "one file" : `${files.length} files`}`), isCut ? null : copyButton(patch, "the patch")), ...folds, isCut ? el("p", { class: "notice" }, "The patch is longer than what is shown here; the run's directory has all of it.") : null);
}
