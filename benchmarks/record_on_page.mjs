// Plays a person who records three labels on the page, trains, and lets the microphone hear.
//
//     node record_on_page.mjs WEB CHROMIUM JOB.json OUT.json
//
// JOB.json: {"address", "sessions": takes of a label in each, "takes", "tests": by label the paths of recordings}.

import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [web, executablePath, jobFile, out] = process.argv.slice(2);
const { chromium } = createRequire(join(web, "node_modules/"))("playwright-core");
const job = JSON.parse(readFileSync(jobFile, "utf-8"));
const CLICK_MS = 1500; // that a person takes for one

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required"],
});
const page = await browser.newPage();
page.setDefaultTimeout(60_000);
// The microphone hears what is played into it; a take begins when the page says that it records.
await page.addInitScript(() => {
  const context = new AudioContext();
  const heard = context.createMediaStreamDestination();
  const queue = [];
  const play = (buffer) => {
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(heard);
    source.start();
  };
  navigator.mediaDevices.getUserMedia = async () => heard.stream.clone();
  Object.assign(window, {
    speak: async (text, now) => {
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      const buffer = await context.decodeAudioData(bytes.buffer);
      if (now) play(buffer);
      else queue.push(buffer);
    },
  });
  addEventListener("DOMContentLoaded", () => {
    let before = "";
    new MutationObserver(([{ target }]) => {
      const { state } = target.dataset;
      if (state === "record" && before !== "record" && queue.length) play(queue.shift());
      before = state;
    }).observe(document.getElementById("take-strip"), { attributeFilter: ["data-state"] });
  });
});
const speak = (path, now) => page.evaluate(([text, at]) => window.speak(text, at), [readFileSync(path).toString("base64"), now]);
const said = (words) => page.waitForFunction((one) => document.querySelector("#record-status").textContent.includes(one), words);
const think = () => page.waitForTimeout(CLICK_MS);

const began = Date.now();
await page.goto(job.address);
await page.waitForSelector("#record:not([hidden])");
for (const label of Object.keys(job.takes)) {
  await think();
  await page.fill("#new-label", label);
  await page.click("#add-label button");
  await said(`Added the label ${label}`);
}
let first = 0;
for (const [number, count] of job.sessions.entries()) {
  if (number) {
    await think();
    await page.click("#new-session");
  }
  await page.selectOption("#take-count", String(count));
  for (const [label, paths] of Object.entries(job.takes)) {
    for (const path of paths.slice(first, first + count)) await speak(path, false);
    await think();
    await page.click(`[aria-label="Record ${label}"]`);
    await said(`(${count} of ${count})`);
  }
  first += count;
}
const recorded = Date.now();
await think();
await page.click("#train");
const training = Date.now();
await page.waitForFunction(() => document.querySelector("#train-news").textContent.includes("open below"), null, { timeout: 900_000 });
const trained = Date.now();
const found = {
  seconds: (trained - began) / 1000,
  recording_seconds: (recorded - began) / 1000,
  training_seconds: (trained - training) / 1000,
  verdict: await page.locator("#trainings p").first().textContent(),
  heard: [],
};
const pressed = Date.now();
await page.click("#microphone");
await page.waitForFunction(() => [...document.querySelectorAll("#bars .score")].some((one) => Number(one.textContent) > 0));
found.first_score_ms = Date.now() - pressed;
for (const [label, paths] of Object.entries(job.tests)) {
  for (const path of paths) {
    await speak(path, true);
    await page.waitForTimeout(2300); // the window holds the whole recording then
    found.heard.push([label, await page.evaluate(() => document.querySelector("#bars .counts .label")?.textContent ?? "")]);
  }
}
await page.screenshot({ path: out.replace(/json$/, "png"), fullPage: true });
writeFileSync(out, JSON.stringify(found));
await browser.close();
