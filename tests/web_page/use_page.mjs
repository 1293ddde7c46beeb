// Uses the page as a person does, in one browser.
//
//     node use_page.mjs WEB CHROMIUM JOB.json OUT.json
//
// JOB.json: {"address", "clip", "microphone", "faults", "models", "silence_below", "loud", "padded", "folder"}: where the
// page is, paths of files, those of faulty ones by name, the names of the models in their order, a level in dBFS, a
// recording above full scale, an MP3 file whose rate is not found, and a folder that `earproof web --out` wrote.

import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { NARROW, browser, checkAccess, finish, job, newPage, seen } from "./browser.mjs";

const page = await newPage(20_000);

const text = (id) => page.textContent(`#${id}`);

// What the page made of the clip, once what `act` begins has come to its end: scores of windows, or of frames.
await page.addInitScript(() => document.addEventListener("heard", ({ detail }) => (window.heard = detail)));
async function scoresAfter(act) {
  await page.evaluate(() => (window.heard = null));
  await act();
  await page.waitForFunction(() => window.heard);
  return page.evaluate(() => window.heard.rows().map((row) => Array.from(row)));
}

// What the scores are taken for now, by the rules that `act` changes.
async function decisionsAfter(act) {
  await act();
  const events = JSON.parse(await page.getAttribute("body", "data-events"));
  const counting = await page.locator("#bars li.counts .label").allTextContents();
  const said = { verdict: await text("verdict"), command: await text("command"), line: await text("command code") };
  return { events, counting, ...said, changed: await text("decisions-changed") };
}

const fill = (name, value) => async () => {
  await page.fill(`#${name}`, value);
  await page.press(`#${name}`, "Enter");
};

async function errorAfter(act) {
  await page.evaluate(() => (document.getElementById("error").hidden = true));
  await act();
  await page.waitForSelector("#error:not([hidden])");
  return text("error");
}

async function drop(...paths) {
  const contents = paths.map((path) => [readFileSync(path).toString("base64"), basename(path)]);
  const transfer = await page.evaluateHandle((files) => {
    const dropped = new DataTransfer();
    for (const [bytes, name] of files) dropped.items.add(new File([Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0))], name));
    return dropped;
  }, contents);
  await page.dispatchEvent("main", "drop", { dataTransfer: transfer });
}

async function parity() {
  await page.click("#parity");
  await page.waitForSelector(".verdict");
  return page.locator(".verdict").allTextContents();
}

await page.goto(job.address);
await page.waitForSelector("body[data-ready]");
seen.ready_ms = Number(await page.getAttribute("body", "data-ready"));
seen.offered = await page.locator("#model option").allTextContents();
seen.scores = { [job.models[0]]: await scoresAfter(() => drop(job.clip)) };
seen.first_score_ms = await page.evaluate(() => performance.now());
seen.status = await text("status");
seen.events = await page.locator("#events tr").count();
seen.parity = { [job.models[0]]: await parity() };
seen.latency = await text("p50");
seen.metadata = await text("metadata");
await checkAccess(page, "light, a clip and its events");

await page.locator("#timeline [part=scroll]").focus();
await page.keyboard.press("Space");
await page.waitForSelector("#play:text('Pause')");
await page.keyboard.press("Space");
await page.waitForSelector("#play:text('Play')");
await page.keyboard.press("ArrowRight");
seen.time = await text("time");
seen.axis = [await text("oldest"), await text("newest")];
await page.fill("#zoom", "50");

// The wheel over the timeline, as far as the slider and the timeline follow.
const zoomed = () => page.evaluate(() => {
  const scrolled = document.querySelector("#timeline > div").shadowRoot.querySelector("[part=scroll]");
  return { slider: Number(document.getElementById("zoom").value), wide: scrolled.scrollWidth / scrolled.clientWidth };
});
seen.zoom = { slider: await zoomed() };
await page.hover("#timeline");
for (const [name, turn] of [["out", 9000], ["in", -400]]) {
  await page.mouse.wheel(0, turn);
  await page.waitForTimeout(200);
  seen.zoom[name] = await zoomed();
}
await page.fill("#zoom", "0");
seen.zoom.undone = await zoomed();

for (const [place, name] of [...job.models.entries()].slice(1)) {
  seen.scores[name] = await scoresAfter(() => page.selectOption("#model", String(place)));
  if (await page.isEnabled("#parity")) seen.parity[name] = await parity();
}
seen.detector = { status: await text("status"), hop: await page.inputValue("#hop"), hidden: await page.isHidden("#merge"), by: {} };
await page.click("#decisions summary");
seen.detector.by.own = await decisionsAfter(() => undefined);
seen.detector.by.joined = await decisionsAfter(async () => {
  for (const [name, value] of [["median-frames", "5"], ["gap", "0.1"], ["shortest", "0.05"]]) await fill(name, value)();
});
seen.detector.by.threshold = await decisionsAfter(() => page.fill("#threshold", "0.62"));
seen.detector.reset = await decisionsAfter(() => page.click("#reset"));
seen.quarter_windows = await scoresAfter(() => page.selectOption("#hop", "4"));
seen.detector.by.quarter = await decisionsAfter(() => undefined);
await checkAccess(page, "light, a detector and its rules");

await scoresAfter(() => page.selectOption("#model", "2"));
seen.half_windows = await scoresAfter(() => page.selectOption("#hop", "2"));
await scoresAfter(() => page.selectOption("#hop", "1"));

await scoresAfter(() => page.selectOption("#model", "1"));
const slider = page.getByLabel("Threshold of song");
seen.decisions = { own: await decisionsAfter(() => undefined) };
seen.decisions.threshold = await decisionsAfter(async () => {
  await slider.focus();
  for (let press = 0; press < 12; press++) await page.keyboard.press("ArrowLeft");
});
seen.decisions.union = await decisionsAfter(() => page.selectOption("#merge", "union"));
seen.decisions.silence = await decisionsAfter(fill("silence-below", String(job.silence_below)));
seen.decisions.maximum = await decisionsAfter(() => page.selectOption("#merge", "maximum"));
seen.decisions.gap = await decisionsAfter(fill("gap", "2.5"));
seen.decisions.shortest = await decisionsAfter(fill("shortest", "7"));
seen.decisions.reset = await decisionsAfter(() => page.click("#reset"));
seen.decisions.one = await decisionsAfter(() => page.fill("#threshold", "0.42"));
seen.decisions.all_but_one = await decisionsAfter(async () => {
  await slider.focus();
  await page.keyboard.press("ArrowRight");
});
seen.scores_of_hop = await scoresAfter(() => page.selectOption("#hop", "4"));
seen.decisions.hop = await decisionsAfter(() => undefined);
await scoresAfter(() => page.click("#reset"));
seen.decisions.reset_hop = { ...(await decisionsAfter(() => undefined)), hop: await page.inputValue("#hop") };
seen.errors = {
  gap: await errorAfter(fill("gap", "-1")),
  silence: await errorAfter(fill("silence-below", "3")),
};
seen.kept_gap = await page.inputValue("#gap");
await scoresAfter(() => page.selectOption("#model", "0"));
seen.softmax = { moved: await slider.isEnabled() };
seen.softmax.union = await decisionsAfter(() => page.selectOption("#merge", "union"));
seen.softmax.movedInUnion = await slider.isEnabled();
await page.fill("#threshold", "0.8");
seen.softmax.back = await decisionsAfter(() => page.selectOption("#merge", "mean"));
await page.click("#reset");
seen.softmax.reset = { ...(await decisionsAfter(() => undefined)), said: await text("threshold-said"), offered: await page.isEnabled("#reset") };

// Recordings that are told something about.
seen.told = {};
for (const name of ["loud", "padded"]) {
  await scoresAfter(() => page.setInputFiles("#file", job[name]));
  seen.told[name] = await text("status");
}
const recorded = await page.evaluate(async () => {
  const context = new AudioContext({ sampleRate: 44100 });
  const end = context.createMediaStreamDestination();
  const tone = new OscillatorNode(context);
  tone.connect(end);
  tone.start();
  const recorder = new MediaRecorder(end.stream, { mimeType: "audio/webm;codecs=opus" });
  const part = new Promise((resolve) => (recorder.ondataavailable = ({ data }) => resolve(data)));
  recorder.start();
  setTimeout(() => recorder.stop(), 600);
  const bytes = new Uint8Array(await (await part).arrayBuffer());
  await context.close();
  return Array.from(bytes);
});
await scoresAfter(() => page.setInputFiles("#file", { name: "a.webm", mimeType: "audio/webm", buffer: Buffer.from(recorded) }));
seen.told.webm = await text("status");
await scoresAfter(() => drop(job.clip, job.loud, job.padded));
seen.told.several = { title: await text("clip-title"), error: await page.textContent("#error:not([hidden])") };
seen.told.several_refused = await errorAfter(() => drop(job.faults.empty, job.clip));

for (const [name, path] of Object.entries(job.faults)) {
  seen.errors[name] = await errorAfter(() => (path.endsWith(".tflite") ? drop(path) : page.setInputFiles("#file", path)));
}
seen.status_after_faults = await text("status");
await page.emulateMedia({ colorScheme: "dark" });
await page.setViewportSize(NARROW);
await checkAccess(page, "dark, narrow, an error");
seen.narrow_width = await page.evaluate(() => document.documentElement.scrollWidth);

await page.selectOption("#model", "0");
await page.waitForSelector("#microphone:enabled");
await page.evaluate(() => {
  const { mediaDevices } = navigator;
  const asked = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = () => {
    mediaDevices.getUserMedia = async (constraints) => {
      window.constraints = constraints;
      return (window.stream = await asked(constraints));
    };
    return Promise.reject(new DOMException("Requested device not found", "NotFoundError"));
  };
});
seen.errors.no_microphone = await errorAfter(() => page.click("#microphone"));
await page.click("#microphone");
await page.waitForSelector("#microphone[aria-pressed=true]");
await page.waitForTimeout(1500);
seen.live_bars = (await page.locator("#bars .score").allTextContents()).map(Number);
await checkAccess(page, "dark, narrow, the microphone");
seen.constraints = await page.evaluate(() => window.constraints.audio);
seen.microphone_scores = await scoresAfter(() => page.click("#microphone"));
seen.microphone_status = await text("status");

await page.click("#microphone");
await page.waitForSelector("#microphone[aria-pressed=true]");
await page.waitForTimeout(700);
seen.errors.lost_microphone = await errorAfter(() => page.evaluate(() => window.stream.getTracks()[0].dispatchEvent(new Event("ended"))));
seen.pressed_after_loss = await page.getAttribute("#microphone", "aria-pressed");
const page404 = { status: 404, contentType: "text/html", body: "<!doctype html><title>404</title>" };
await page.route("**/golden.json", (route) => route.fulfill(page404), { times: 1 });
seen.errors.no_golden = await errorAfter(() => page.click("#parity"));
await page.route("**/golden.json", (route) => route.fulfill({ ...page404, status: 200 }), { times: 1 }); // as some hosts do
seen.errors.no_golden_but_a_page = await errorAfter(() => page.click("#parity"));
await page.route("**/models/**", (route) => route.abort());
seen.errors.no_server_parity = await errorAfter(() => page.click("#parity"));
seen.errors.no_server_model = await errorAfter(() => page.selectOption("#model", "1"));

// A browser that runs no worker: the page computes itself, and says so.
const other = await browser.newPage();
await other.addInitScript(() => delete globalThis.Worker);
await other.addInitScript(() => document.addEventListener("heard", ({ detail }) => (window.heard = detail)));
await other.goto(job.address);
await other.waitForSelector("body[data-ready]");
seen.errors.no_worker = await other.textContent("#error:not([hidden])");
await other.setInputFiles("#file", job.clip);
await other.waitForFunction(() => window.heard);
seen.scores_without_worker = await other.evaluate(() => window.heard.rows().map((row) => Array.from(row)));

// Opened as a file, and without scripts: the page says what it needs, after a while.
seen.started = { served: await page.locator("#not-started").count() };
await other.goto(pathToFileURL(join(job.folder, "index.html")).href);
seen.started.at_once = await other.isVisible("#not-started");
await other.waitForSelector("#not-started", { state: "visible" });
seen.started.said = await other.textContent("#not-started");

await finish();
