// Reviews takes as a person does, by keys, in one browser.
//
//     node use_review.mjs WEB CHROMIUM JOB.json OUT.json
//
// JOB.json: {"single", "several", "detector"}: addresses of reviews of a softmax and a sigmoid model, and of a detector; {"single_server"}: the
// process of the first; {"second_sound"}: a WAV of it to move away; {"table"}: its clips.csv, to be edited;
// {"decisions"}: its decisions.jsonl, to be broken.

import { appendFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { NARROW, ON_ITS_SIDE, checkAccess, finish, job, newPage, seen } from "./browser.mjs";

seen.steps = {};

async function open(address) {
  const page = await newPage(20_000);
  // A browser refuses to play before the first key or click. What drives this one counts as a gesture, now before the
  // first take and now behind it, so the refusal is made here.
  await page.addInitScript(() => {
    const { play } = HTMLMediaElement.prototype;
    const refuse = () => Promise.reject(new DOMException("no gesture yet", "NotAllowedError"));
    let isUsed = false;
    for (const kind of ["keydown", "pointerdown"]) addEventListener(kind, () => (isUsed = true), { capture: true });
    HTMLMediaElement.prototype.play = function () {
      return isUsed ? play.call(this) : refuse();
    };
  });
  await page.goto(address);
  await page.waitForSelector("body[data-shown]");
  return page;
}

const shown = (page) => page.getAttribute("body", "data-shown");
const text = (page, id) => page.textContent(`#${id}`);
const counts = async (page) => [await text(page, "place"), await text(page, "counts")];

// What is pressed, and the take that it brings.
async function bring(page, act) {
  const before = await shown(page);
  await act();
  await page.waitForFunction((path) => document.body.dataset.shown !== path, before);
}

const press = (page, key) => bring(page, () => page.keyboard.press(key));

async function errorAfter(page, act) {
  await act();
  await page.waitForSelector("#error:not([hidden])");
  return text(page, "error");
}

const picture = (page) => page.evaluate(() => document.querySelector("#picture canvas").toDataURL());
const elements = (page) => page.evaluate(() => document.querySelectorAll("#take *, #decide *").length);

// One label a window.
const page = await open(job.single);
seen.steps.start = await counts(page);
await page.waitForSelector("#silent:not([hidden])");
seen.refused_autoplay = await text(page, "silent");
await checkAccess(page, "light, wide, the first take");
const first = await picture(page);
seen.elements = [await elements(page)];
await page.keyboard.press("Space");
await page.waitForSelector("#play:has-text('Pause')");
seen.played = ["Pause"];
await page.waitForFunction(() => parseFloat(document.querySelector("#playhead").style.left) > 5); // %
await page.keyboard.press("Space");
await page.waitForSelector("#play:has-text('Play')");
seen.played.push("Play");

// The timeline, reached by Tab, has the keys that its name tells; where it was clicked, keys decide.
const timeline = page.locator("#timeline [role=group]");
await timeline.focus();
const isAt = (place) => // % of the take, as nearly as a sound is moved to
  page.waitForFunction((expected) => Math.abs(parseFloat(document.querySelector("#playhead").style.left) - expected) < 5, place);
await page.keyboard.press("ArrowLeft");
await isAt(0);
await page.keyboard.press("ArrowRight");
await isAt(50); // a second of two
seen.on_timeline = [await text(page, "place")];
await page.keyboard.press("Space");
await page.waitForSelector("#play:has-text('Pause')");
await page.keyboard.press("Space");
await page.waitForSelector("#play:has-text('Play')");
await timeline.click();
await press(page, "ArrowRight");
seen.on_timeline.push(await text(page, "place"));
await press(page, "ArrowLeft");
await page.click("#play"); // it plays, as each take does at once
await page.waitForSelector("#play:has-text('Play')");

// No take is like what is chosen: no key does anything, and what was told goes with the choice.
await page.selectOption("#show", "discard");
await page.waitForSelector("#error:not([hidden])");
seen.none_like = [await text(page, "error")];
await page.click("#choose-title"); // keys count where nothing is chosen
for (const key of ["1", "Enter", "0", "x", "Space", "l", "ArrowRight", "ArrowLeft"]) await page.keyboard.press(key);
await page.waitForTimeout(200);
seen.none_like.push(await text(page, "counts"), await text(page, "play"), await page.isVisible("#take"));
await page.selectOption("#show", "all");
await page.waitForSelector("body[data-shown^=takes]");
seen.none_like.push(await page.isVisible("#error"), await page.isVisible("#take"));
await page.waitForSelector("#play:has-text('Pause')"); // the take that is back plays at once
await page.click("#choose-title");

await page.uncheck("#single-keys");
await page.keyboard.press("x");
await page.waitForTimeout(500);
seen.steps.without_keys = await counts(page);
await page.check("#single-keys");
await press(page, "Enter");
seen.steps.kept = await counts(page);
await page.waitForSelector("#play:has-text('Pause')");
seen.plays_at_once = "Pause";
seen.pictures_differ = first !== (await picture(page));
await press(page, "3");
seen.steps.corrected = await counts(page);
await page.keyboard.press("a"); // plays no take at once from here on
await press(page, "x");
seen.steps.discarded = await counts(page);
await page.waitForTimeout(200);
seen.plays_not = (await text(page, "play")).split(" ")[0];
await press(page, "u");
seen.steps.undone = await counts(page);
await press(page, "ArrowLeft");
seen.steps.back = await counts(page);
await press(page, "ArrowRight");
await bring(page, () => page.keyboard.down("x"));
for (let again = 0; again < 5; again++) await page.keyboard.down("x"); // as a key that is held down repeats
await page.keyboard.up("x");
await page.waitForTimeout(200);
seen.steps.held = await counts(page);
await page.keyboard.press("l");
await page.keyboard.type("bird");
await page.keyboard.press("Enter");
seen.asked_for_new_label = await text(page, "find-note");
await press(page, "Enter");
await page.keyboard.press("l");
await page.keyboard.type("x".repeat(81));
await page.keyboard.press("Enter");
seen.long_label = await text(page, "find-note");
await page.keyboard.press("Control+a");
await page.keyboard.type("SPEE"); // the beginning of a label that there is
// Two presses, as a new label needs: the second must not keep the take that came, however slow this machine is.
await page.evaluate(() => document.querySelector("#find").addEventListener("submit", (event) => (globalThis.entered = event.timeStamp)));
await press(page, "Enter");
await page.evaluate(() => {
  const again = new KeyboardEvent("keydown", { key: "Enter", bubbles: true });
  Object.defineProperty(again, "timeStamp", { value: globalThis.entered + 390 });
  document.body.dispatchEvent(again);
});
await page.waitForTimeout(300);
seen.entered_twice = await text(page, "counts");

// What was decided is there after a reload.
await page.reload();
await page.waitForSelector("body[data-shown]");
seen.steps.reloaded = await counts(page);

// Some of the takes only.
const choose = async (id, value) => {
  await page.selectOption(`#${id}`, value);
  return text(page, "place");
};
await page.uncheck("#undecided-first");
seen.filtered = { song: (await choose("said", "song")).replace(/^\d+/, "1") };
await choose("said", "");
seen.filtered.session = (await choose("session", { index: 2 })).replace(/^\d+/, "1");
await choose("session", "");
await page.check("#undecided-first");
seen.filtered.undecided = await text(page, "place");
await page.click("#sessions-title");
await page.waitForSelector("#session-rows tr");
seen.filtered.sessions = await page.locator("#session-rows tr").count();
await page.click("#sessions-title");

// Two pages at once: the second decides about the take that the first shows.
const other = await open(job.single);
await press(other, "2");
seen.conflict = await errorAfter(page, () => page.keyboard.press("x"));
await page.waitForFunction(() => document.querySelector("#decision").textContent);
seen.conflict_verdict = await text(page, "decision");
await other.close();

// A sound that is gone.
await page.selectOption("#sort", "heard");
await page.uncheck("#undecided-first");
await page.reload();
await page.waitForSelector("body[data-shown]");
renameSync(job.second_sound, `${job.second_sound}.away`);
await page.selectOption("#sort", "heard");
await page.uncheck("#undecided-first");
await page.selectOption("#show", "all");
seen.gone_sound_before = await text(page, "counts");
for (let back = 0; back < 9 && (await page.isEnabled("#back")); back++) await page.click("#back");
seen.gone_sound = await errorAfter(page, () => page.click("#forward"));
await page.keyboard.press("Enter");
await page.waitForTimeout(200);
seen.gone_sound_kept = await text(page, "counts");
renameSync(`${job.second_sound}.away`, job.second_sound);

await page.reload();
await page.waitForSelector("body[data-shown]");
seen.faults_told = await text(page, "fault-count");
for (let left = 0; left < 9 && !(await page.evaluate(() => document.body.classList.contains("finished"))); left++) {
  await press(page, "1");
}
seen.elements.push(await elements(page));
seen.result = (await text(page, "result-title")) + (await text(page, "result-text"));
seen.commands = await text(page, "commands");
await page.waitForTimeout(1200); // the table is a second behind
await checkAccess(page, "light, wide, the end");

// The server ends: what is pressed is not shown as saved.
await page.click("#again");
await page.waitForSelector("#take:not([hidden])");
await page.waitForFunction(() => document.body.dataset.shown);
seen.second_pass = [await text(page, "place")];
for (const key of ["Enter", "ArrowRight", "u"]) {
  await press(page, key);
  seen.second_pass.push(await text(page, "place"));
}

// Somebody edits the table, and breaks a line of the decisions.
const table = readFileSync(job.table);
appendFileSync(job.table, "mine.wav,song,me,train,\n");
appendFileSync(job.decisions, '{"take": "takes/x.wav", "action": "keep"}\n');
await press(page, "x");
await press(page, "u");
await page.waitForSelector("#table-fault:not([hidden])");
seen.table_fault = (await text(page, "result-text")) + (await text(page, "table-fault"));
seen.fault_above = await page.evaluate(() => {
  const top = (id) => document.getElementById(id).getBoundingClientRect().top;
  return top("table-fault") < top("commands");
});
seen.broken_line = await text(page, "fault-list");
await checkAccess(page, "light, wide, a table that is not written");
writeFileSync(job.table, table);
seen.gone_server_before = await text(page, "counts");
process.kill(job.single_server);
await page.waitForTimeout(1000);
seen.gone_server = await errorAfter(page, () => page.keyboard.press("x"));
seen.gone_server_counts = await text(page, "counts");
await page.emulateMedia({ colorScheme: "dark" });
await page.setViewportSize(NARROW);
await checkAccess(page, "dark, narrow, an error");
seen.narrow_width = await page.evaluate(() => document.documentElement.scrollWidth);
await page.close();

// A telephone: all that decides, and what plays, is in sight at once.
const small = await open(job.several);
await small.setViewportSize(NARROW);
seen.reach = await small.evaluate(() => {
  const bar = document.querySelector(".reach").getBoundingClientRect();
  const box = (query) => document.querySelector(query).getBoundingClientRect();
  const label = box("#labels button");
  const list = document.querySelector("#labels");
  return {
    play: box("#play").bottom <= bar.top,
    label: label.top >= bar.top && label.bottom <= innerHeight,
    sideways: list.scrollWidth > list.clientWidth && document.documentElement.scrollWidth === 360,
  };
});
await checkAccess(small, "light, narrow, the labels");
await small.setViewportSize(ON_ITS_SIDE);
await small.evaluate(() => scrollTo(0, 0));
seen.on_its_side = await small.evaluate(() => {
  const box = (query) => document.querySelector(query).getBoundingClientRect();
  const bar = box(".reach");
  const rows = [...document.querySelectorAll(".reach button")].map((one) => one.getBoundingClientRect());
  return {
    bar: bar.height,
    rows: new Set(rows.map(({ top, height }) => Math.round(top + height / 2))).size,
    within: rows.every(({ top, bottom }) => top >= bar.top && bottom <= innerHeight),
    take: bar.top - Math.max(box("#picture").top, 0),
    play: box("#play").bottom <= bar.top,
    width: document.documentElement.scrollWidth,
  };
});
await checkAccess(small, "light, on its side, the labels");
await small.setViewportSize(NARROW);
await small.keyboard.press("l");
await small.keyboard.type("n".repeat(80));
await small.keyboard.press("Enter");
await small.keyboard.press("Enter");
await small.waitForTimeout(500); // a third Enter at once would count for nothing
await press(small, "Enter");
seen.long_label_fits = await small.evaluate(() => {
  const table = document.querySelector("#by-label");
  const page = document.documentElement.scrollWidth;
  return { told: table.textContent.includes("n".repeat(80)), table: table.scrollWidth - table.clientWidth, page };
});
await press(small, "u");
await small.close();

// Several labels a window.
const several = await open(job.several);
const keep = () => several.textContent("#keep span");
seen.keep_says = [await keep()];
seen.digits = await several.locator("#labels kbd:visible").count();
await several.keyboard.press("1");
seen.keep_says.push(await keep());
await several.keyboard.press("/");
await several.keyboard.type("label k");
await several.keyboard.press("Enter");
seen.keep_says.push(await keep());
await several.waitForTimeout(500); // an Enter at once would count for nothing
await several.emulateMedia({ colorScheme: "dark" });
await checkAccess(several, "dark, wide, several labels");
await press(several, "Enter");
await press(several, "Enter");

// A detector: what is told works beside recordings with annotations.
const detector = await open(job.detector);
seen.long_threshold = [await text(detector, "why"), await detector.getAttribute("#labels button >> nth=1", "title")];
await press(detector, "Enter");
seen.detector = { go_on: await detector.isVisible("#go-on"), told: await text(detector, "annotate"), commands: await text(detector, "annotate-commands") };
await checkAccess(detector, "light, wide, a detector");

await finish();
