// Reviews a folder of takes by keys in a browser, and times every decision.
//
//     node review_takes.mjs WEB CHROMIUM ADDRESS COUNT OUT.json
//
// OUT.json: "first_ms" until the first take can be heard, "decisions_ms" from each key to the next take that can be
// heard, "heap_mb" and "elements" of the page at the start and at the end.

import { createRequire } from "node:module";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const [web, executablePath, address, count, out] = process.argv.slice(2);
const require = createRequire(join(web, "node_modules/"));
const { chromium } = require("playwright-core");
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--js-flags=--expose-gc"] });
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
const client = await page.context().newCDPSession(page);

async function size() {
  await client.send("HeapProfiler.collectGarbage");
  const { usedSize } = await client.send("Runtime.getHeapUsage");
  const { nodes } = await client.send("Memory.getDOMCounters");
  return { heap_mb: usedSize / 1e6, nodes, elements: await page.evaluate(() => document.querySelectorAll("*").length) };
}

await page.goto(address);
await page.waitForSelector("body[data-shown]");
const seen = { first_ms: await page.evaluate(() => performance.now()), decisions_ms: [], before: await size() };
// In the page itself, so that the time of the tool is not in it: from the key to the take that it brings.
await page.evaluate(() => {
  window.decide = (key) =>
    new Promise((done) => {
      const begun = performance.now();
      const watch = new MutationObserver(() => {
        watch.disconnect();
        done(performance.now() - begun);
      });
      watch.observe(document.body, { attributes: true, attributeFilter: ["data-shown"] });
      document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    });
});
const keys = ["Enter", "2", "3", "x"];
for (let number = 0; number < Number(count); number++) {
  seen.decisions_ms.push(await page.evaluate((key) => window.decide(key), keys[number % keys.length]));
  await page.waitForTimeout(30); // nobody is faster; what is fetched ahead comes in meanwhile
}
seen.after = await size();
seen.title = await page.textContent("#result-title");
writeFileSync(out, JSON.stringify(seen));
await browser.close();
