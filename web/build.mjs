// Builds the page into build/: one module, its worklet, the style, and LiteRT.js's wasm files.

import { build } from "esbuild";
import { cp, mkdir, rm } from "node:fs/promises";
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
  entryPoints: ["src/page.ts", "src/microphone_worklet.ts"].map((name) => join(here, name)),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  outdir: out,
  legalComments: "linked", // the licences of what is bundled, beside it
});
for (const name of ["index.html", "style.css", "icon.svg"]) await cp(join(here, "src", name), join(out, name));
for (const variant of VARIANTS) {
  for (const ending of [".js", ".wasm"]) {
    await cp(join(here, "node_modules/@litertjs/core/wasm", variant + ending), join(out, "wasm", variant + ending));
  }
}
