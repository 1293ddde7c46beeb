// Records, labels, trains and hears as a person does, in one browser.
//
//     node record_on_page.mjs WEB CHROMIUM JOB.json OUT.json
//
// JOB.json: {"address", "microphone", "files", "broken", "downloads"}: where the page is, what the microphone hears, three
// recordings of the second label, a file without sound, and where downloads go.

import { join } from "node:path";
import { NARROW, checkAccess, finish, job, newPage, seen } from "./browser.mjs";

seen.downloads = {};
const page = await newPage(30_000);

const text = (selector) => page.textContent(selector);
const said = (pattern) => page.waitForFunction((words) => new RegExp(words).test(document.querySelector("#record-status").textContent), pattern);

async function session(name) {
  await page.fill("#session", name);
  await page.click("#record-title"); // keys count where nothing is written
}

await page.goto(new URL("/", job.address).href);
await page.waitForSelector("#error:not([hidden])");
seen.without_token = await text("#error");
await page.goto("about:blank"); // the same address with another # would not load it anew
await page.goto(job.address);
await page.waitForSelector("#record:not([hidden])");
seen.address = page.url();
await said("Add the labels");
for (const label of ["high", "low"]) {
  await page.fill("#new-label", label);
  await page.click("#add-label button");
  await said(`Added the label ${label}`);
}
await page.fill("#new-label", "HIGH");
await page.click("#add-label button");
await page.waitForSelector("#record-error:not([hidden])");
seen.same_label = await text("#record-error");
seen.needs = await page.locator("#train-needs li").allTextContents();

await page.selectOption("#take-seconds", "1");
await page.selectOption("#take-count", "1");
await session("desk");
await page.click('[aria-label="Record high"]');
await said("Kept high/desk-0001.wav");
for (const place of ["hall", "yard"]) {
  await session(place);
  await page.keyboard.press("1");
  await page.keyboard.press("r");
  await said(`Kept high/${place}-0001.wav`);
}
await page.keyboard.press("r");
await said("Recording high");
await page.keyboard.press("Escape");
await said("Stopped; the take that was not whole is not kept");
await page.route("**/api/takes?*", (route) => route.abort()); // the server is gone
await page.keyboard.press("r");
await page.waitForSelector("#record-error:not([hidden])");
seen.not_kept = await text("#record-error");
await page.unroute("**/api/takes?*");
await page.click("#keep-again");
await said("Kept high/yard-0002.wav");
seen.keep_again_hidden = await page.isHidden("#keep-again");
await page.click("#record-title");
await page.keyboard.press("p");
await page.waitForRequest((request) => request.url().endsWith("/api/takes/high/yard-0002.wav")).catch(() => null);
await page.keyboard.press("Delete");
await said("Deleted high/yard-0002.wav");
seen.takes_after_delete = await page.locator('[aria-label="Takes of high"] li').count();
await page.click("#undo");
await said("The take is back");
seen.takes_after_undo = await page.locator('[aria-label="Takes of high"] li').count();

seen.added = [];
for (const [number, place] of ["desk", "hall", "yard"].entries()) {
  await session(place);
  await page.setInputFiles("#files-1", job.files[number]);
  await said(`Added 1 file to low, session ${place}`);
  seen.added.push(await text("#record-status"));
}
await page.setInputFiles("#files-1", job.broken);
await page.waitForSelector("#record-error:not([hidden])");
seen.broken = await text("#record-error");
await page.click("#find-faults");
await page.waitForSelector("#findings .finding");
seen.findings = await page.locator("#findings .finding").allTextContents();
await checkAccess(page, "light, takes");

await page.fill("#epochs", "2");
await page.click("#train");
await page.waitForSelector("#training-now:not([hidden])");
seen.second_training = await page.evaluate(async () => {
  const answer = await fetch("api/trainings", { method: "POST", headers: { "x-earproof-token": sessionStorage.getItem("earproof-token") } });
  return [answer.status, await answer.text()];
});
await page.reload(); // a page that is closed loses nothing
await page.waitForSelector("#training-now:not([hidden])");
seen.takes_after_reload = await page.locator(".takes li").count();
await page.waitForSelector("#trainings details", { timeout: 240_000 });
await said("Training 1 is open below");
seen.training = await text("#trainings summary");
seen.verdict = await page.locator("#trainings p").first().textContent();
seen.curves = await page.locator("#curves canvas").count();
seen.model = await page.locator("#model option:checked").textContent();
seen.focus = await page.evaluate(() => document.activeElement.id);
await page.click("#microphone");
await page.waitForSelector("#microphone[aria-pressed=true]");
await page.waitForTimeout(1500);
seen.live_bars = (await page.locator("#bars .score").allTextContents()).map(Number);
await page.click("#microphone");
await page.waitForSelector("body[data-heard]");
await page.click("#parity");
await page.waitForSelector("#parity-result .verdict");
seen.parity = await page.locator("#parity-result .verdict strong").allTextContents();

for (const [name, button] of [["bundle", "#trainings td button >> nth=0"], ["report", "text=Save the report"]]) {
  const coming = page.waitForEvent("download");
  await page.click(button);
  const download = await coming;
  await download.saveAs(join(job.downloads, download.suggestedFilename()));
  seen.downloads[name] = download.suggestedFilename();
}
await page.emulateMedia({ colorScheme: "dark" });
await page.setViewportSize(NARROW);
await checkAccess(page, "dark, narrow, a training");
seen.narrow_width = await page.evaluate(() => document.documentElement.scrollWidth);

await finish();
