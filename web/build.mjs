// Writes what the page is made of: one script and one style sheet, with the licence of the library that is in them.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const out = new URL("../src/hydra_callbacks/report/page/", import.meta.url);
const library = new URL("node_modules/uplot/", import.meta.url);

await build({
  entryPoints: ["src/report.js", "src/report.css"],
  outdir: out.pathname,
  absWorkingDir: new URL(".", import.meta.url).pathname,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome123", "firefox120", "safari17.5"], // the first with light-dark() in style sheets
  charset: "ascii",
  legalComments: "none",
  logLevel: "info",
});

const sources = createHash("sha256");
const source = new URL("src/", import.meta.url);
for (const name of readdirSync(source).sort()) {
  sources.update(name).update(readFileSync(new URL(name, source), "utf8").replaceAll("\r\n", "\n"));
}
const { version } = JSON.parse(readFileSync(new URL("package.json", library), "utf8"));
writeFileSync(new URL("LICENSE.uPlot", out), readFileSync(new URL("LICENSE", library)));
writeFileSync(
  new URL("NOTICE", out),
  `report.js and report.css are built from web/ in the source repository by \`python3 make.py web\`.\n` +
    `They contain uPlot ${version}, under the MIT licence: see LICENSE.uPlot beside this file.\n` +
    `sha256 of web/src: ${sources.digest("hex")}\n`,
);
