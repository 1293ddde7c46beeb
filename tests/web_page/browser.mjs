// The browser of the scripts in this folder, and what goes wrong in it.
//
//     node SCRIPT.mjs WEB CHROMIUM JOB.json OUT.json
//
// WEB is the folder of the page, whose node_modules hold what drives the browser, and axe-core. CHROMIUM is the browser.
// JOB.json holds what a script needs, and OUT.json what it has seen. Where {"pictures"} is a folder, pictures go there.

import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const [script, web, executablePath, jobFile, out] = process.argv.slice(1);
const require = createRequire(join(web, "node_modules/"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf-8");

export const job = JSON.parse(readFileSync(jobFile, "utf-8"));
export const seen = { requests: [], faults: [], axe: {} };

// A browser; where job.microphone is a WAV, its microphone hears that, and nobody is asked.
export const browser = await chromium.launch({
  executablePath,
  args: [
    ...["--no-sandbox", "--disable-gpu"],
    ...(job.microphone
      ? [
          ...["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
          `--use-file-for-fake-audio-capture=${job.microphone}`,
        ]
      : []),
  ],
});

export const WIDE = { width: 1280, height: 900 };
export const NARROW = { width: 360, height: 780 };
export const ON_ITS_SIDE = { width: 740, height: 360 };
const context = await browser.newContext({ colorScheme: "light", viewport: WIDE });

// A page, light and wide, whose requests, errors and breaches of its policy are kept in `seen`.
export async function newPage(timeout_ms) {
  const page = await context.newPage();
  page.setDefaultTimeout(timeout_ms);
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("pageerror", (error) => seen.faults.push(String(error)));
  page.on("console", (message) => /Content Security Policy/.test(message.text()) && seen.faults.push(message.text()));
  return page;
}

// Keeps what axe-core finds in this state of a page; where job.pictures is a folder, a picture of the whole page too.
export async function checkAccess(page, state) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  seen.axe[state] = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  if (job.pictures) {
    const name = `${basename(script, ".mjs")}-${state.replace(/\W+/g, "-")}.png`;
    await page.screenshot({ path: join(job.pictures, name), fullPage: true });
  }
}

export async function finish() {
  writeFileSync(out, JSON.stringify(seen));
  await browser.close();
}
