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
await page.goto(job.address); // which differs behind its # alone
await page.waitForSelector("#record:not([hidden])");
seen.address = page.url();
await said("Add the labels that the model shall tell apart. The next take goes to a new session, Session 1, ");
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
await page.route("**/microphone_worklet.js", (route) => route.abort()); // the server is gone
await page.click('[aria-label="Record high"]');
await page.waitForSelector("#record-error:not([hidden])");
seen.no_server = await text("#record-error");
await page.unroute("**/microphone_worklet.js");
await page.click('[aria-label="Record high"]');
await said("Kept high/desk-0001.wav");
for (const place of ["hall", "yard"]) {
  await session(place);
  await page.keyboard.press("1");
  await page.keyboard.press("r");
  await said(`Kept high/${place}-0001.wav`);
}
await page.keyboard.press("r");
await said("Recording high, session yard");
await page.keyboard.press("Escape");
await said("Stopped; the take that was not whole is not kept");
await page.route("**/api/takes?*", (route) => route.abort()); // the server is gone
await page.keyboard.press("r");
await page.waitForSelector("#record-error:not([hidden])");
seen.not_kept = await text("#record-error");
await page.unroute("**/api/takes?*");
await page.keyboard.press("r");
await said("Kept high/yard-0002.wav");
seen.keep_again = [await text("#keep-again")];
await page.evaluate(() => (location.hash = "token=of-another-server"));
await page.waitForSelector("#record-error:not([hidden])");
await page.keyboard.press("r");
await page.waitForFunction(() => document.querySelector("#keep-again").textContent.includes("takes"));
seen.keep_again.push(await text("#keep-again"));
const asks = page.waitForEvent("dialog");
await page.evaluate(() => setTimeout(() => location.reload()));
const dialog = await asks;
seen.asks_before_leaving = dialog.type();
await dialog.dismiss();
await page.goto(job.address); // as a server prints it that was started again
await said("The server answers again. 2 takes can be kept again. The next take goes to the session yard.");
await page.click("#keep-again");
await said("Kept high/yard-0003.wav. Kept high/yard-0004.wav.");
seen.keep_again_hidden = await page.isHidden("#keep-again");
await page.click("#record-title");
await page.keyboard.press("p");
await page.waitForRequest((request) => request.url().endsWith("/api/takes/high/yard-0004.wav")).catch(() => null);
await page.keyboard.press("Delete");
await said("Deleted high/yard-0004.wav");
const focused = () => page.evaluate(() => document.activeElement.ariaLabel ?? document.activeElement.id);
await page.focus('[aria-label^="Delete high/yard-0003.wav"]');
await page.keyboard.press("Enter");
await said("Deleted high/yard-0003.wav");
seen.focus_after_delete = await focused();
seen.takes_after_delete = await page.locator('[aria-label="Takes of high"] li').count();
await page.focus("#undo");
await page.keyboard.press("Enter");
await page.waitForFunction(() => document.querySelector("#undo").textContent === "Undo");
await page.keyboard.press("Enter");
await page.waitForSelector("#undo", { state: "hidden" });
await said("The take is back");
seen.focus_after_undo = await focused();
seen.takes_after_undo = await page.locator('[aria-label="Takes of high"] li').count();
await page.route("**/api/deleted/**", (route) => route.fulfill({ status: 400, body: "high/yard-0003.wav was not deleted here" }));
await page.click('[aria-label^="Delete high/yard-0003.wav"]');
await said("Deleted high/yard-0003.wav");
await page.click("#undo");
await page.waitForSelector("#record-error:not([hidden])");
seen.refused_undo = [await text("#record-error"), await page.isHidden("#undo")];
await page.unroute("**/api/deleted/**");
await page.evaluate(async () => {
  const headers = { "x-earproof-token": sessionStorage.getItem("earproof-token") };
  await fetch("api/deleted/high/yard-0003.wav", { method: "POST", headers });
});

seen.added = [];
for (const [number, place] of ["desk", "hall", "yard"].entries()) {
  await session(place);
  await page.setInputFiles("#files-1", place === "yard" ? [job.broken, job.files[number]] : job.files[number]);
  await said(`Added 1 file to low, session ${place}`);
  seen.added.push(await text("#record-status"));
}
await page.waitForSelector("#record-error:not([hidden])");
seen.broken = [await text("#record-status"), await text("#record-error")];
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
const other = await newPage(30_000); // a second tab, in which nobody does anything
await other.goto(job.address);
await other.waitForSelector("#training-now:not([hidden])");
await other.waitForSelector(".takes li");
seen.session_of_other = [await other.inputValue("#session"), await other.textContent("#record-status")];
// This one hears of the end only while it records a row, and while somebody writes.
const end = { told: false, came: () => {} };
const ended = new Promise((came) => (end.came = came));
await page.route("**/api/trainings", async (route) => {
  const response = await route.fetch();
  const [training] = await response.json();
  if (training.state !== "running") end.came(training);
  await route.fulfill({ response, json: [end.told ? training : { ...training, state: "running" }] });
});
await page.reload(); // a page that is closed loses nothing
await page.waitForSelector("#training-now:not([hidden])");
await page.waitForSelector(".takes li");
seen.takes_after_reload = await page.locator(".takes li").count();
await page.selectOption("#take-seconds", "1");
const { state, error } = await ended;
if (state !== "finished") throw new Error(`the training is ${state}: ${error}`);
await page.click('[aria-label="Record high"]');
await page.fill("#new-label", "thi");
await said("\\(1 of 4\\)");
const where = () => page.evaluate(() => [document.activeElement.id, scrollY, document.querySelector("#take-strip").dataset.state === "ready"]);
const before = await where();
end.told = true;
await page.waitForSelector("#hear-news:not([hidden])");
await page.keyboard.type("rd");
seen.at_the_end = { before, after: await where(), news: await text("#train-news"), written: await page.inputValue("#new-label") };
await said("\\(4 of 4\\)");
seen.models_before_hearing = await page.locator("#model option").count();
await other.waitForFunction(() => document.querySelector("#train-news").textContent.includes("open below"));
seen.news_of_other = await other.textContent("#train-news");
seen.model_of_other = await other.locator("#model option:checked").textContent();
await page.click('[aria-label^="Delete high/yard-0002.wav"]');
await said("Deleted high/yard-0002.wav");
await other.click('[aria-label^="Delete high/yard-0002.wav"]');
await other.waitForSelector('[aria-label^="Delete high/yard-0002.wav"]', { state: "detached" });
seen.deleted_twice = [await other.textContent("#record-status"), await other.isHidden("#undo")];
await other.close();
await page.click("#hear-news");
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
const colour = () =>
  page.evaluate(() => {
    const picture = document.querySelector(".takes canvas");
    return [...picture.getContext("2d").getImageData(0, picture.height / 2, 1, 1).data].slice(0, 3);
  });
seen.waveform = [await colour()];
await page.emulateMedia({ colorScheme: "dark" });
await page.waitForTimeout(200); // one frame and more
seen.waveform.push(await colour());
await page.setViewportSize(NARROW);
await checkAccess(page, "dark, narrow, a training");
seen.narrow_table = await page.evaluate(() => {
  const part = document.querySelector("#trainings .scroll");
  return part.scrollWidth - part.clientWidth;
});
seen.narrow_width = await page.evaluate(() => document.documentElement.scrollWidth);

await finish();
