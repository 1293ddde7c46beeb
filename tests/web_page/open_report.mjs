// Opens a report from disk in light and dark, wide and narrow, with every table unfolded.
//
//     node open_report.mjs WEB CHROMIUM JOB.json OUT.json
//
// JOB.json: {"address"}: where the report is. In OUT.json "looks" holds by state the width of the page, the widths of its
// pictures and the seconds of its first sound.

import { NARROW, WIDE, checkAccess, finish, job, newPage, seen } from "./browser.mjs";

seen.looks = {};
seen.console = [];
const page = await newPage(20_000);
page.on("console", (message) => seen.console.push(message.text()));
await page.goto(job.address);
await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
for (const colorScheme of ["light", "dark"]) {
  for (const viewport of [WIDE, NARROW]) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(viewport);
    const state = `${colorScheme}, ${viewport.width} px`;
    await checkAccess(page, state);
    seen.looks[state] = await page.evaluate(async () => {
      const audio = document.querySelector("audio");
      const seconds = await new Promise((resolve) => {
        if (!audio) return resolve(null);
        audio.onloadedmetadata = () => resolve(audio.duration);
        audio.onerror = () => resolve(audio.error.message);
        audio.preload = "metadata";
        audio.load();
      });
      const pictures = [...document.images].map((one) => one.naturalWidth);
      return { seconds, pictures, width: document.documentElement.scrollWidth };
    });
  }
}
await finish();
