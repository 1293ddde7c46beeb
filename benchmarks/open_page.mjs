// Opens the page of a model in a new browser, chooses a recording as soon as it can be chosen, and waits for its scores.
//
//     node open_page.mjs WEB CHROMIUM ADDRESS RECORDING VISITS OUT.json
//
// OUT.json: of each visit "ready_ms" until the model is ready and "scored_ms" until the recording has its scores, both
// from the beginning of the visit.

import { createRequire } from "node:module";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const [web, executablePath, address, recording, visits, out] = process.argv.slice(2);
const { chromium } = createRequire(join(web, "node_modules/"))("playwright-core");
const seen = [];
for (let visit = 0; visit < Number(visits); visit++) {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  // The page's own clock, which begins with the visit: the start of the browser is not in it.
  await page.addInitScript(() => document.addEventListener("heard", () => (window.scored_ms ??= performance.now())));
  await page.goto(address);
  await page.waitForSelector("body[data-ready]");
  await page.setInputFiles("#file", recording);
  await page.waitForFunction(() => window.scored_ms);
  seen.push(await page.evaluate(() => ({ ready_ms: Number(document.body.dataset.ready), scored_ms: window.scored_ms })));
  await browser.close();
}
writeFileSync(out, JSON.stringify(seen));
