// Builds the page into build/: one module, its worklet, the style, and LiteRT.js's wasm files.

import { build } from "esbuild";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "build");
// With threads LiteRT.js needs isolation headers and gains nothing; these two it takes without them, by what the
// browser can do.
const VARIANTS = ["litert_wasm_internal", "litert_wasm_compat_internal"];

await rm(out, { recursive: true, force: true });
await mkdir(join(out, "wasm"), { recursive: true });
await build({
  entryPoints: ["src/page.ts", "src/audio/microphone_worklet.ts"].map((name) => join(here, name)),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  outdir: out,
  entryNames: "[name]",
  legalComments: "none", // the licences of what is bundled are in a file of their own
});
// The page of `earproof review` in a folder of its own; it runs no model.
await build({
  entryPoints: [join(here, "src/review/review.ts")],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  outdir: join(out, "review"),
  legalComments: "none",
});
for (const name of ["index.html", "review.css"]) await cp(join(here, "src/review", name), join(out, "review", name));
for (const name of ["index.html", "style.css", "icon.svg"]) await cp(join(here, "src", name), join(out, name));
await cp(join(here, "node_modules/uplot/dist/uPlot.min.css"), join(out, "curves.css"));
for (const variant of VARIANTS) {
  for (const ending of [".js", ".wasm"]) {
    await cp(join(here, "node_modules/@litertjs/core/wasm", variant + ending), join(out, "wasm", variant + ending));
  }
}

// What a package says about its licence: a file, else the end of its README that is about it, else who made it.
async function licence(name) {
  const folder = join(here, "node_modules", name);
  const { version, license, author, repository } = JSON.parse(await readFile(join(folder, "package.json"), "utf-8"));
  const files = await readdir(folder);
  const file = files.find((one) => /^licen[cs]e/i.test(one));
  const readme = await readFile(join(folder, "README.md"), "utf-8");
  const text = file ? await readFile(join(folder, file), "utf-8") : /^#+ *licen[cs]e[^]*/im.exec(readme)?.[0];
  return `${name} ${version}, ${license}\n\n${(text || author?.name || author || repository?.url || "").trim()}\n`;
}

const { dependencies } = JSON.parse(await readFile(join(here, "package.json"), "utf-8"));
const licences = await Promise.all(Object.keys(dependencies).map(licence));
await writeFile(join(out, "licences.txt"), licences.join(`\n${"-".repeat(72)}\n\n`));
