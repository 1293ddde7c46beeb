// Opens many files in the loaders of a browser, and scores windows with those that open.
//
//     node open_files.mjs MODULES CHROMIUM JOBS.json OUT.json
//
// MODULES is the node_modules folder that holds what package.json names. JOBS.json is a list of {"model", "windows",
// "sample_rate", "count"}: paths, the windows as float32 without a header. OUT.json gets {loader: [result, ...]}, a
// result as open_files.py gives it. Everything is served from the loopback, and nothing else can be reached.

import { createServer } from "node:http";
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [modules, executablePath, jobsFile, out] = process.argv.slice(2);
const { chromium } = createRequire(join(modules, "/"))("playwright-core");

const HERE = dirname(fileURLToPath(import.meta.url));
const LOADERS = ["litertjs", "mediapipe_web"];
const SECONDS = 60; // for one file
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' 'unsafe-inline'; connect-src 'self'";
const jobs = JSON.parse(await readFile(jobsFile, "utf-8"));

function place(address) {
  const parts = address.split("/").slice(1);
  if (parts[0] === "jobs") return jobs[Number(parts[1])][parts[2]];
  return parts[0] === "modules" ? join(modules, ...parts.slice(1)) : join(HERE, parts[0] || "page.html");
}

const server = createServer(async (request, response) => {
  try {
    const path = place(new URL(request.url, "http://loopback").pathname);
    const content = await readFile(path);
    const type = TYPES[extname(path)] ?? "application/octet-stream";
    response.writeHead(200, { "Content-Type": type, "Content-Security-Policy": POLICY });
    response.end(content);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const root = `http://127.0.0.1:${server.address().port}/`;
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });

async function openPage() {
  const page = await browser.newPage();
  page.log = [];
  page.on("console", (message) => page.log.push(message.text()));
  await page.goto(root);
  await page.waitForFunction("window.score");
  return page;
}

async function score(page, loader, number) {
  const { sample_rate, count } = jobs[number];
  const job = { model: `/jobs/${number}/model`, windows: `/jobs/${number}/windows`, sample_rate, count };
  page.log.length = 0;
  const late = new Promise((done) => setTimeout(done, SECONDS * 1000, { error: `no result in ${SECONDS} s` }).unref());
  const asked = page.evaluate(([name, one]) => window.score(name, one), [loader, job]);
  const result = await Promise.race([asked.catch((error) => ({ error: `the page crashed: ${error.message}` })), late]);
  return { ...result, log: page.log.join("\n").slice(0, 8000) };
}

// A file that breaks a loader must not speak for the next: after an abort the page is a new one.
const BROKEN = /abort|crashed|no result|memory access|unreachable|out of bounds|null function/i;

async function scoreAll(loader) {
  const results = [];
  let page = await openPage();
  for (const number of jobs.keys()) {
    const result = await score(page, loader, number);
    results.push(result);
    if (BROKEN.test(result.error ?? "")) {
      await page.close();
      page = await openPage();
    }
  }
  await page.close();
  return [loader, results];
}

const results = [];
for (const loader of LOADERS) results.push(await scoreAll(loader));
await writeFile(out, JSON.stringify(Object.fromEntries(results)));
await browser.close();
server.close();
