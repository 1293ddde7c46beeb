// node open_page.js CHROMIUM PAGE.html: opens a page from disk in light and dark, wide and narrow, with every table
// unfolded, and prints one JSON document: what axe-core finds, what was asked of other hosts, what overflows.
const fs = require("fs");
const { pathToFileURL } = require("url");
const { chromium } = require("playwright-core");

const AXE = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

async function look(browser, address, colorScheme, width) {
  const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
  const asked = [], errors = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => errors.push(message.text()));
  await page.goto(address);
  await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
  const { violations } = await page.evaluate(`${AXE}; axe.run()`);
  const found = await page.evaluate(async () => {
    const audio = document.querySelector("audio");
    const seconds = await new Promise((resolve) => {
      if (!audio) return resolve(null);
      audio.onloadedmetadata = () => resolve(audio.duration);
      audio.onerror = () => resolve(audio.error.message);
      audio.load();
      audio.preload = "metadata";
    });
    const pictures = [...document.images].map((one) => one.naturalWidth);
    return { seconds, pictures, width: document.documentElement.scrollWidth };
  });
  await page.close();
  return {
    ...found, colorScheme, viewport: width, errors,
    asked: asked.filter((one) => one !== address && !one.startsWith("data:")),
    violations: violations.map((one) => `${one.id}: ${one.nodes[0].html}`),
  };
}

(async () => {
  const [executablePath, file] = process.argv.slice(2);
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const looks = [];
  for (const scheme of ["light", "dark"])
    for (const width of [1280, 360]) looks.push(await look(browser, pathToFileURL(file).href, scheme, width));
  await browser.close();
  console.log(JSON.stringify(looks));
})();
